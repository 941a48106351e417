"""Institutional systems plug in here: each adapter implements the Protocol that stands in `hub/base` and loads by entry point.

Nothing here yet: registry, mapping and the test suite for adapters come with the integrations issue. The room exists so that the house's
arrows (`adapters` → `hub`, never back) are held from the first day.
"""
