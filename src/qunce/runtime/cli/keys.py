"""`qunce secrets`: whether stored secrets can be read, and a new key for them."""

from __future__ import annotations

import argparse
import sys

from qunce.runtime.cli.main import UsageError


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "action", choices=("check", "rotate"), help="check: can every stored secret be read; rotate: encrypt all with a new key"
    )
    parser.add_argument(
        "--drop-old", action="store_true", help="forget the older keys: backups made before cannot be read any more"
    )


def run(args: argparse.Namespace) -> int:
    from qunce.accounts import audit
    from qunce.accounts.errors import SecretUnreadable
    from qunce.accounts.secret_field import count_secrets, rotate_keys

    if args.action == "check" and args.drop_old:
        raise UsageError("--drop-old belongs to rotate; check changes nothing")
    try:
        if args.action == "check":
            secrets, keys = count_secrets()
            sys.stdout.write(f"{secrets:,} stored secrets can be read; keys in the data folder: {keys}\n")
            return 0
        rotated = rotate_keys(drop_old=args.drop_old)
    except SecretUnreadable as error:
        raise UsageError(f"{error}; put secrets/field_keys back from a backup, nothing was changed for it") from error
    after = {"secrets": rotated, "dropped_old": args.drop_old}
    audit.record(actor=None, action="secrets.rotate", target_type="organisation", target_id=0, after=after)
    said = "older keys are forgotten" if args.drop_old else "older keys are kept, so that backups can be read"
    sys.stdout.write(f"{rotated:,} secrets are encrypted with a new key; {said}. Back up secrets/field_keys now\n")
    return 0
