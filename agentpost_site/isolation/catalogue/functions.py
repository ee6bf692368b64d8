"""Functions: the gates, exactly as declared, and no other function that runs with rights of its own."""

import hashlib
import re
from typing import NamedTuple

from agentpost_site.isolation.catalogue.reading import differs, rows
from agentpost_site.isolation.findings import Area
from environments import gates

DEFINERS = """
    SELECT n.nspname, p.proname, pg_get_function_arguments(p.oid), pg_get_function_result(p.oid), p.prosrc,
           o.rolname, p.proconfig, l.lanname, p.provolatile::text, p.proleakproof,
           (SELECT array_agg(coalesce(r.rolname, 'PUBLIC')::text || ' ' || x.privilege_type ORDER BY 1)
              FROM aclexplode(coalesce(p.proacl, acldefault('f', p.proowner))) x
              LEFT JOIN pg_roles r ON r.oid = x.grantee)
      FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace JOIN pg_roles o ON o.oid = p.proowner
      JOIN pg_language l ON l.oid = p.prolang
     WHERE p.prosecdef AND n.nspname NOT IN ('pg_catalog', 'information_schema')
"""
LEAKPROOF = """
    SELECT p.oid::regprocedure::text FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace
     WHERE p.proleakproof AND n.nspname NOT IN ('pg_catalog', 'information_schema')
"""
SEARCH_PATH = ["search_path=public, pg_temp"]


class Definer(NamedTuple):
    """A SECURITY DEFINER function as the catalogue shows it."""

    schema: str
    name: str
    arguments: str
    returns: str
    body: str
    owner: str
    settings: list[str] | None
    language: str
    volatility: str
    leakproof: bool
    privileges: list[str]


def check_functions(area: Area, application: str, owner: str) -> None:  # noqa: ARG001 - as its siblings
    """Compare every SECURITY DEFINER function with the declared gates."""
    found = {}
    for row in rows(DEFINERS):
        function = Definer(*row)
        found[f"{function.schema}.{_plain(function.name)}({_plain(function.arguments)})"] = function
    declared = {f"public.{gate.name}({_plain(gate.arguments)})": gate for gate in gates.declared()}
    for name in sorted(found.keys() - declared.keys()):
        area.demand(f"function {name}", "runs with its owner's rights and is no declared gate")
    for name, gate in declared.items():
        area.demand(f"gate {name}", _difference(gate, found.get(name), application))
    area.demand("no function of ours calls itself leakproof", differs([], [name for (name,) in rows(LEAKPROOF)]))


def _difference(gate: gates.Gate, found: Definer | None, application: str) -> str:
    """Return in what a gate differs from its declaration, or an empty string."""
    if found is None:
        return "is missing"
    compared = {
        "result": (_plain(gate.returns), _plain(found.returns)),
        "body": (_digest(gate.body), _digest(found.body)),
        "owner": (gates.ROLE, found.owner),
        "settings": ([*SEARCH_PATH, *(f"{name}={value}" for name, value in gate.settings.items())], found.settings),
        "language": ("sql", found.language),
        "volatility": ("v" if gate.volatile else "s", found.volatility),
        "EXECUTE": (sorted([f"{application} EXECUTE", f"{gates.ROLE} EXECUTE"]), sorted(found.privileges)),
    }
    told = (f"{name}: {differs(*pair)}" for name, pair in compared.items() if differs(*pair))
    return "; ".join(told)


def _plain(text: str) -> str:
    """Return SQL without differences of space and case."""
    return re.sub(r"\s*([(),])\s*", r"\1", re.sub(r"\s+", " ", text.strip())).lower()


def _digest(body: str) -> str:
    return hashlib.sha256(body.strip().encode()).hexdigest()
