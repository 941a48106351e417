"""What the chat tests read words against: invented institutions, a Saturday morning in Lima."""

from __future__ import annotations

import random
from dataclasses import replace
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from hub.cases.codes import new_code
from hub.chat.context import Context

LIMA = ZoneInfo("America/Lima")
NOW = datetime(2026, 11, 21, 15, 30, tzinfo=UTC)
"""Saturday 21 November 2026, 10:30 in Lima."""
_RANDOM = random.Random(20261121)
CASE = new_code("C", _RANDOM.randrange)
REFERRAL = new_code("R", _RANDOM.randrange)

CONTEXT = Context(
    zone=LIMA,
    now=NOW,
    institutions={
        "csmc-comas": ("CSMC Comas", "Centro de Salud Mental Comunitaria de Comas"),
        "cem-lima": ("CEM Lima", "Centro Emergencia Mujer"),
        "defensa": ("Defensa Pública para Víctimas", "ALEGRA"),
        "hogar-1": ("Hogar Uno", "Hogar sede 1"),
        "hogar-2": ("Hogar Dos", "Hogar sede 2"),
    },
    fields={
        "social_name": ("Nombre con el que quiere que la llamen", "nombre social", "nombre"),
        "phone": ("Teléfono", "celular", "phone"),
        "safe_contact": ("Cómo contactarla sin riesgo", "contacto seguro"),
        "account": ("Relato", "account"),
        "name_for_contact": ("nombre para contacto",),
        "risk_level": ("Nivel de riesgo", "riesgo"),
        "needs": ("Qué necesita", "necesidades"),
        "languages": ("Idiomas",),
        "accessibility": ("Qué apoyos necesita", "apoyos"),
        "aggressor_affiliation": ("A qué institución pertenece la persona agresora", "agresor"),
    },
    needs={
        "mental_health": ("Salud mental", "psicología", "mental health"),
        "shelter": ("Refugio", "casa refugio", "shelter"),
        "legal_aid": ("Asesoría legal", "abogada"),
    },
    decline_reasons={
        "no_capacity": ("No hay cupo ahora", "sin cupo", "falta cupo", "falta de cupo"),
        "not_our_competence": ("No nos corresponde",),
    },
    giveback_reasons={"moved_away": ("Se mudó",), "she_asked": ("Ella lo pidió",)},
    outcomes={"attended": ("Atendida", "attended"), "did_not_come": ("No vino",)},
    case_outcomes={"needs_met": ("Se atendió lo que pidió",)},
    consent_modes={
        "oral": ("De palabra", "oral", "verbal"),
        "written": ("Por escrito", "escrito"),
        "representative": ("Por su representante",),
    },
    options={
        "risk_level": {"low": ("Bajo",), "medium": ("Medio",), "high": ("Alto", "grave")},
        "needs": {"mental_health": ("Salud mental",), "shelter": ("Refugio",)},
        "languages": {"es": ("Español",), "qu": ("Quechua",)},
        "aggressor_affiliation": {
            "police": ("Policía (PNP)", "policía", "PNP"),
            "municipality": ("Serenazgo",),
            "none": ("Ninguna",),
        },
    },
    several=frozenset({"needs", "languages", "aggressor_affiliation"}),
)
ENGLISH = replace(CONTEXT, language="en")


@pytest.fixture
def context() -> Context:
    return CONTEXT
