"""`qunce staff`: accounts from the command line, for the first login and for the day somebody forgot a password."""

from __future__ import annotations

import argparse
import secrets
import sys

from qunce.runtime.cli.main import UsageError


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "action", choices=("list", "add", "password", "audit"), help="what to do; audit: check that nobody changed the audit"
    )
    parser.add_argument("username", nargs="?", help="sign-in name")
    parser.add_argument("--role", default="manager", help="role of a new account (default: manager)")
    parser.add_argument("--name", default="", help="display name of a new account")


def run(args: argparse.Namespace) -> int:
    from qunce.accounts.errors import StaffRejected
    from qunce.accounts.models import Staff
    from qunce.accounts.staff import do_create_staff, do_set_password

    if args.action == "list":
        for staff in Staff.objects.order_by("username"):
            state = "active" if staff.is_active else "inactive"
            sys.stdout.write(f"{staff.username}\t{staff.role}\t{state}\t{staff.display_name}\n")
        return 0
    if args.action == "audit":
        return _check_audit()
    if not args.username:
        raise UsageError("say which account: qunce staff " + args.action + " USERNAME")
    password = secrets.token_urlsafe(12)
    try:
        if args.action == "add":
            do_create_staff(actor=None, username=args.username, password=password, role=args.role, display_name=args.name)
        else:
            found = Staff.objects.filter(username=args.username).first()
            if found is None:
                raise UsageError(f"there is no account {args.username!r}; see: qunce staff list")
            do_set_password(actor=None, staff_id=found.pk, password=password)
    except StaffRejected as error:
        raise UsageError(str(error)) from error
    sys.stdout.write(f"{args.username}\t{password}\n")
    return 0


def _check_audit() -> int:
    """Walk the audit's chain of hashes; return 1 where somebody changed, removed or added an entry."""
    from qunce.accounts.audit import verify_chain

    report = verify_chain()
    if report.ok:
        sys.stdout.write(f"{report.checked:,} audit entries, all as they were written\n")
        return 0
    where = f"from entry {report.broken_at} on" if report.broken_at is not None else "at its end"
    sys.stdout.write(f"the audit was changed {where}: {report.reason}; compare with a backup\n")
    return 1
