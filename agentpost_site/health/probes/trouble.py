"""What a probe raises."""


class Trouble(Exception):
    """What is wrong, in words that name no host, path, address or secret."""
