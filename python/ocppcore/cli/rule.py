"""`ocppcore rule`: what a rule asks for and why; the catalogue of all rules."""

from __future__ import annotations

import textwrap
from typing import TYPE_CHECKING

import click
import msgspec

from .. import _rules
from .reading import version_option

if TYPE_CHECKING:
    from .._versions import Version


@click.command("rule")
@click.argument("ids", nargs=-1, metavar="[ID...]")
@click.option("--tier", type=click.Choice(["schema", "spec"]), help="Rules of the schemas, or those of the text alone.")
@click.option("--ocpp", callback=version_option, metavar="VERSION", help="Rules of 1.6, 2.0.1 or 2.1 alone.")
@click.option("--format", "form", type=click.Choice(["text", "json"]), default="text")
def command(ids: tuple[str, ...], tier: str | None, ocpp: Version | None, form: str) -> None:
    """Say what each rule ID asks for, why, and what to do; without one, list the rules."""
    try:
        rules = [_rules.rule(id) for id in ids] or _rules.catalogue()
    except ValueError as error:
        raise click.UsageError(str(error)) from None
    rules = [rule for rule in rules if tier in (None, rule.tier) and (ocpp is None or ocpp.number in rule.section)]
    if form == "json":
        for rule in rules:
            click.echo(msgspec.json.encode(rule._asdict()))
    elif ids:
        for rule in rules:
            _one(rule)
    else:
        width = max((len(rule.id) for rule in rules), default=0)
        for rule in rules:
            versions = ", ".join(rule.section)
            click.echo(
                f"{click.style(rule.id.ljust(width), bold=True)}  {rule.severity:7}  {versions:15}  {rule.title}"
            )


def _one(rule: _rules.RuleText) -> None:
    tier = (
        "a strict decode refuses it" if rule.tier == "schema" else "advice: it refuses nothing unless a policy names it"
    )
    click.echo(f"{click.style(rule.id, bold=True)} ({rule.severity}; {tier})")
    for text in (rule.title + ".", rule.why, rule.fix):
        click.echo(textwrap.indent(textwrap.fill(text, 100), "  "))
    for version, section in rule.section.items():
        click.echo(f"  OCPP {version}: {section}; answered with {rule.codes[version]}")
