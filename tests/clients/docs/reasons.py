"""Why a block of a page is not run: every reason that a page may give, and what is done about the block instead."""

NOT_RUN = {
    "it holds a secret": "The first start prints the key. The programs find it in their environment.",
    "it needs root": "It changes a machine's own files. tests/clients/hosting runs it in a folder.",
    "it needs a PostgreSQL": "It names a database of the reader. tests/clients/hosting runs it with one of its own.",
    "it needs a container engine": "The machines of the tests have none. The block is only read.",
    "it asks the world's DNS": "No name server knows acme.example. The block is only read.",
    "it asks a server in the world": "Tests use no network. The block is only read.",
    "their client": "It is the client of another service. The block is only read.",
    "it installs packages": "Tests use no registry. The block is only read.",
    "it is a browser's": "It belongs into a page of the reader's own server. The block is only read.",
    "it starts the server": "The tests have started the server that the page's programs use.",
    "it asks for a key": "tests/clients/cli/test_login.py types the key on a terminal.",
    "it goes on until Ctrl-C": "tests/clients/cli/test_following.py runs these commands and ends them.",
    "it is somebody else's service": "examples/signup_bot has a service like it, and is run by its own tests.",
    "it needs Claude Code": "It is a command of Claude Code. The block is only read.",
    "it needs a model": "tests/clients/kits runs the kits with a scripted model.",
    "tests run it in another place": "tests/clients/examples runs it against a server of its own.",
    "it takes minutes": "tests/isolation runs it.",
    "it needs the archive": "tests/environments/importing imports archives that it has exported.",
}
