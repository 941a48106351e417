"""Presidio on the same texts, in an environment of its own (`requirements/bench-presidio.txt`): run by `bench.guard`, never imported by us.

Texts as JSON on stdin; on stdout for each its spans (class, start, end) and the milliseconds, the best of three. A blank Spanish pipeline,
because every default of Presidio's fetches a model at run time, and no network: the public-suffix list is the one that comes with `tldextract`.
"""

import json
import sys
import time

import spacy
import tldextract
from presidio_analyzer import AnalyzerEngine, RecognizerRegistry
from presidio_analyzer.nlp_engine import SpacyNlpEngine
from presidio_analyzer.predefined_recognizers import PhoneRecognizer

ROUNDS = 3
CLASSES = {
    "PHONE_NUMBER": "phone", "EMAIL_ADDRESS": "email", "CREDIT_CARD": "card", "IBAN_CODE": "account", "ES_NIF": "dni", "ES_NIE": "foreign",
    "URL": "url", "DATE_TIME": "birth_date", "ES_PASSPORT": "passport", "LOCATION": "address", "PERSON": "name",
}  # fmt: skip


class Blank(SpacyNlpEngine):
    """A pipeline without a model."""

    def __init__(self) -> None:
        super().__init__(models=[{"lang_code": "es", "model_name": "blank"}])
        self.nlp = {"es": spacy.blank("es")}


def main() -> None:
    """Read, analyse, write."""
    tldextract.extract = tldextract.TLDExtract(suffix_list_urls=(), cache_dir=None)
    registry = RecognizerRegistry(supported_languages=["es"])
    registry.load_predefined_recognizers(languages=["es"])
    registry.remove_recognizer("PhoneRecognizer")
    regions = ("PE", "ES", "VE", "CO", "EC")  # its own are the United States, Britain, Germany…: it would see no telephone at all
    registry.add_recognizer(PhoneRecognizer(supported_language="es", supported_regions=regions, context=["cel", "teléfono", "llamar"]))
    engine = AnalyzerEngine(registry=registry, nlp_engine=Blank(), supported_languages=["es"])
    found = []
    for text in json.load(sys.stdin):
        took = []
        for _ in range(ROUNDS):
            began = time.perf_counter()
            seen = engine.analyze(text=text, language="es")
            took.append((time.perf_counter() - began) * 1000)
        spans = [{"class": CLASSES[one.entity_type], "start": one.start, "end": one.end} for one in seen if one.entity_type in CLASSES]
        found.append({"spans": spans, "ms": min(took)})
    json.dump(found, sys.stdout)


if __name__ == "__main__":
    main()
