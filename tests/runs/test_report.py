from __future__ import annotations

import re
from html.parser import HTMLParser
from typing import Any

import pytest

from latentia.exploration.plots import figure_bytes, plot_rate_per_dimension
from latentia.runs.report import NO_ELBO, NO_EVALUATION, ReportFigure, render_report

SUMMARY: dict[str, Any] = {
    "run": "runs/2025-vae", "preset": "vae", "data": "mnist", "epochs": 15.0, "steps": 7032, "parameters": 652824,
    "device": "cpu", "precision": "fp32", "compiled": False, "images_per_second": 21345.6,
    "seconds": {"data": 0.42, "compile": 0.0, "train": 61.2}, "test": {"elbo": -104.3, "distortion": 78.9, "rate": 25.4,
    "mse": 0.0131},
}  # fmt: skip
EVALUATION: dict[str, Any] = {
    "split": "test", "n": 10000, "elbo": -104.254, "distortion": 78.903, "rate": 25.351, "nll": 99.12,
    "importance_samples": 500, "nll_standard_error": 0.27, "bits_per_dim": 0.1824, "active_units": 18, "latent_dim": 20,
    "mse": 0.01312, "psnr": 18.82, "beta_effective": 1.0, "rate_per_dimension": [1.0] * 20,
    "protocol": {"likelihood": "Bernoulli", "likelihood_kind": "cross-entropy", "likelihood_normalised": False,
                 "likelihood_in_words": "a cross-entropy on grey values", "rate": "closed form", "binarize": "dynamic",
                 "dequantize": False, "seed": 3, "mode": "evaluation mode, fp32", "unit": "nats per image"},
}  # fmt: skip
ODD = "<script>alert('$x$')</script>&amp;\" onload=\"x"
VOID = {"meta", "link", "img", "br"}


class Page(HTMLParser):
    """Checks that tags nest, and collects them with their attributes and the text."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self.feed(html)
        assert not self.open, f"not closed: {self.open}"

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text += data

    def count(self, name: str) -> int:
        return sum(tag == name for tag, _ in self.tags)


def render(**changes: Any) -> str:
    arguments: dict[str, Any] = {
        "title": "vae on mnist", "summary": SUMMARY, "evaluation": EVALUATION,
        "config_toml": 'seed = 0\n[data]\nsource = "mnist"',
        "figures": [ReportFigure("Rates", "Bars add up.", figure_bytes(plot_rate_per_dimension([1.0, 0.0]), dpi=40))],
        "notes": ["Grey values."], "commands": ["latentia sample runs/2025-vae --n 100"], **changes,
    }  # fmt: skip
    return render_report(**arguments)


def words(page: Page) -> str:
    return " ".join(page.text.split())


def test_it_opens_with_the_numbers_in_words() -> None:
    text = words(Page(render()))
    assert "On the test part (10,000 images), the ELBO is −104.25 nats per image: a distortion of 78.90" in text
    assert "and a rate of 25.35" in text
    for piece in ("99.12", "± 0.27 nats per image", "K = 500 importance samples", "0.182 bits", "0.0131 mse", "18.8 dB",
                  "18 of 20 latent dimensions"):  # fmt: skip
        assert piece in text, piece
    assert (
        text.index("ELBO") < text.index("How it was measured") < text.index("Pictures") < text.index("What was trained")
    )
    assert text.index("The whole config") < text.index("Notes") < text.index("Try next")


def test_it_states_the_protocol_and_what_was_trained() -> None:
    text = words(Page(render()))
    for piece in ("not normalised: a cross-entropy on grey values", "drawn anew in every epoch",
                  "Seed of the evaluation3",
                  "evaluation mode, fp32", "652,824", "15 epochs, 7,032 steps", "cpu, fp32, not compiled",
                  "21,346 images per second", "1 min 1 s", 'source = "mnist"'):  # fmt: skip
        assert piece in text, piece


def test_it_says_whose_weights_are_the_model() -> None:
    text = words(Page(render(summary={**SUMMARY, "best_step": 4688, "epochs": 14.99736})))
    assert "those of step 4,688, the best on the validation part" in text
    assert "15 epochs, 7,032 steps" in text
    assert "those of step" not in words(Page(render(summary={**SUMMARY, "best_step": 7032})))


def test_it_is_a_semantic_page() -> None:
    page = Page(render())
    assert page.count("h1") == page.count("main") == page.count("details") == 1
    assert page.count("table") == page.count("caption") == 3
    assert page.count("figure") == page.count("figcaption") == page.count("img") == 1
    images = [attributes for tag, attributes in page.tags if tag == "img"]
    assert images[0]["alt"] == "Rates"
    assert int(images[0]["width"] or 0) > int(images[0]["height"] or 0) > 0
    assert ("html", {"lang": "en-GB"}) in page.tags
    assert any(attributes.get("name") == "viewport" for _, attributes in page.tags)


def test_it_loads_nothing() -> None:
    html = render()
    assert "http:" not in html
    assert "https:" not in html
    page = Page(html)
    assert page.count("script") == page.count("iframe") == 0
    for _, attributes in page.tags:
        for name in ("src", "href"):
            assert (attributes.get(name) or "data:").startswith("data:")
    assert "url(" not in html
    assert "@import" not in html
    assert "default-src 'none'" in html


def test_everything_is_escaped() -> None:
    figures = [ReportFigure(ODD, ODD, b"no png")]
    protocol = {
        "likelihood": ODD,
        "likelihood_in_words": ODD,
        "likelihood_normalised": False,
        "binarize": ODD,
        ODD: ODD,
    }
    html = render(
        title=ODD, summary={**SUMMARY, "preset": ODD, "data": ODD, "run": ODD, "device": ODD, "seconds": {ODD: 1.0}},
        evaluation={**EVALUATION, "split": ODD, "protocol": protocol}, config_toml=ODD, figures=figures, notes=[ODD],
        commands=[ODD], noun=ODD,
    )  # fmt: skip
    page = Page(html)
    assert page.count("script") == 0
    assert not any("onload" in attributes for _, attributes in page.tags)
    assert page.text.count(ODD) >= 15
    assert next(attributes["alt"] for tag, attributes in page.tags if tag == "img") == ODD


def test_an_autoencoder_says_why_it_has_no_elbo() -> None:
    gone = ["elbo", "rate", "nll", "importance_samples", "nll_standard_error", "bits_per_dim", "beta_effective"]
    text = words(Page(render(evaluation={**EVALUATION, **dict.fromkeys(gone)})))
    assert NO_ELBO in text
    assert "the mean squared error of the reconstruction is 0.0131" in text
    assert "None" not in text
    assert "Effective beta" not in text


def test_a_likelihood_that_was_not_estimated_says_how() -> None:
    text = words(Page(render(evaluation={**EVALUATION, "nll": None, "nll_standard_error": None, "bits_per_dim": None})))
    assert "--importance-samples 500" in text
    assert "bits" not in text


@pytest.mark.parametrize("name", [*EVALUATION])
def test_any_quantity_may_be_missing(name: str) -> None:
    for evaluation in ({**EVALUATION, name: None}, {key: value for key, value in EVALUATION.items() if key != name}):
        assert "None" not in re.sub(r"<style>.*?</style>", "", render(evaluation=evaluation), flags=re.DOTALL)


@pytest.mark.parametrize("name", [*SUMMARY])
def test_any_part_of_the_summary_may_be_missing(name: str) -> None:
    assert "None" not in render(summary={**SUMMARY, name: None})


def test_without_an_evaluation_it_shows_what_training_ended_with() -> None:
    assert "the ELBO is −104.30 nats per image" in words(Page(render(evaluation={})))
    text = words(Page(render(evaluation={}, summary={}, figures=[], notes=[], commands=[], config_toml="")))
    assert NO_EVALUATION in text
    assert "Pictures" not in text
    assert "Notes" not in text


def test_numbers_that_are_not_finite_are_left_out() -> None:
    html = render(evaluation={**EVALUATION, "psnr": float("inf"), "mse": float("nan")})
    assert "PSNR" not in html
    assert "nan" not in words(Page(html))


def test_vectors_are_called_so() -> None:
    assert "nats per row" in words(Page(render(noun="row")))


def finding(severity: str) -> dict[str, Any]:
    return {"name": "inactive-units", "severity": severity, "message": "M.", "remedy": "R.", "settings": ["a=1"]}


def classes(page: Page) -> list[str]:
    return [attributes["class"] or "" for _, attributes in page.tags if "remark" in (attributes.get("class") or "")]


def test_a_healthy_run_does_not_look_like_a_warning() -> None:
    evaluation = {**EVALUATION, "nll_standard_error": None, "protocol": {}}
    page = Page(render(evaluation=evaluation, diagnosis={"findings": []}))
    assert classes(page) == ["remark healthy"]
    assert "The doctor found nothing wrong." in page.text


def test_findings_have_the_colour_of_their_severity() -> None:
    evaluation = {**EVALUATION, "nll_standard_error": None, "protocol": {}}
    findings = [finding(severity) for severity in ("severe", "moderate", "slight")]
    page = Page(render(evaluation=evaluation, diagnosis={"findings": findings}))
    assert classes(page) == ["remark alarm", "remark warning", "remark warning"]
    assert page.text.count("--set a=1") == 3
