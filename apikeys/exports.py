"""What an archive does not tell of keys: they belong to the organization, and their secrets to whoever holds them."""

from apikeys.models import IdempotencyRecord

LEFT_OUT = {IdempotencyRecord: "answers to calls that are repeated within a day, of keys that are not here"}
