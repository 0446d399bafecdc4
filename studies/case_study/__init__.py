"""A public case that anybody can check: what public answers of two models show, and what not.

`python -m studies.case_study.page DATA --date DATE` writes `reports/cases/`.
"""
