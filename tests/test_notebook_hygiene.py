"""What every committed notebook keeps to, read from its JSON alone; and the claims of the committed runs."""

import ast
import copy
import json
import re
import warnings
from pathlib import Path

import nbformat
import pytest

from adkit.course.parameters import digest
from adkit.runtime.provenance import source_fingerprint
from tests.execute import absolute_paths, clean

FOLDER = Path(__file__).parents[1] / "notebooks"
NOTEBOOKS = sorted(FOLDER.glob("*.ipynb"))
RESULTS = sorted((FOLDER / "results").glob("*.json"))
SECTIONS = ("what you will learn", "predict first", "where it fails", "explorer", "exercises", "quiz", "takeaways")
MOST_LINES, CELLS = 15, (15, 40)  # least of all cells, most of those with code


GLOSSARY = (FOLDER / "glossary.md").read_text(encoding="utf-8")


# ---- the rules: each takes a notebook (a dict) and yields what is wrong


def markdown(notebook):
    return [text(cell) for cell in notebook["cells"] if cell["cell_type"] == "markdown"]


def code(notebook):
    return [cell for cell in notebook["cells"] if cell["cell_type"] == "code"]


def text(cell):
    return "".join(cell["source"])


def headings(notebook):
    """(number of the cell, level, lower-case title) of each heading outside code blocks."""
    for number, cell in enumerate(notebook["cells"]):
        if cell["cell_type"] == "markdown":
            body = re.sub(r"```.*?```", "", text(cell), flags=re.S)
            for level, title in re.findall(r"^(#+) +(.+)$", body, flags=re.M):
                yield number, len(level), title.strip().lower()


def format_is_valid(notebook):
    try:
        with warnings.catch_warnings(action="ignore"):  # about ids, which are checked below
            nbformat.validate(copy.deepcopy(notebook))
    except nbformat.ValidationError as error:
        yield f"not a valid notebook: {error.message}"
    ids = [cell.get("id") for cell in notebook["cells"]]
    if len(set(ids)) < len(ids) or None in ids:
        yield "cell ids are missing or not unique"


def sections_in_order(notebook):
    found = list(headings(notebook))
    if not found or found[0][:2] != (0, 1) or sum(level == 1 for _, level, _ in found) != 1:
        yield "the first cell must hold the only # title"
    places = {}
    for section in SECTIONS:
        places[section] = next((number for number, _, title in found if section in title), None)
        if places[section] is None:
            yield f"no heading {section!r}"
    present = [place for place in places.values() if place is not None]
    if present != sorted(present):
        yield f"sections must come in the order {', '.join(SECTIONS)}"
    learn, predict = places["what you will learn"], places["predict first"]
    if learn is not None and len(re.findall(r"^[-*] ", text(notebook["cells"][learn]), flags=re.M)) != 3:
        yield "'what you will learn' must have three bullets"
    tagged = [n for n, c in enumerate(notebook["cells"]) if "parameters" in c["metadata"].get("tags", [])]
    if len(tagged) != 1:
        yield f"expected one cell tagged parameters, got {len(tagged)}"
    elif None not in (learn, predict) and not learn < tagged[0] < predict:
        yield "the parameters cell must stand between 'what you will learn' and 'predict first'"


def parameters_are_annotated_literals(notebook):
    for cell in code(notebook):
        if "parameters" in cell["metadata"].get("tags", []):
            for line in filter(str.strip, text(cell).splitlines()):
                if not is_annotated_literal(line):
                    yield f"a parameter must read like `epochs: int = 20  # …`, got `{line}`"


def is_annotated_literal(line):
    try:
        (statement,) = ast.parse(line).body
        ast.literal_eval(statement.value)
    except (SyntaxError, ValueError, AttributeError):
        return False
    comment = line[statement.end_col_offset :]
    return isinstance(statement, ast.AnnAssign) and re.fullmatch(r" {2}# \S.*", comment) is not None


def default_is_right(notebook):
    source = "\n".join(map(text, code(notebook)))
    call = re.search(r"\bbegin\(.*?default=\"(\w+)\"", source, flags=re.S)
    cells = [text(cell) for cell in code(notebook) if "parameters" in cell["metadata"].get("tags", [])]
    lines = [line for cell in cells for line in filter(str.strip, cell.splitlines())]
    if call and lines and all(map(is_annotated_literal, lines)):
        statements = ast.parse("\n".join(lines)).body
        expected = digest({line.target.id: ast.literal_eval(line.value) for line in statements})
        if call[1] != expected:
            yield f"the parameters cell is not the default run that begin() knows: default={expected!r}"


def sizes(notebook):
    if len(notebook["cells"]) < CELLS[0]:
        yield f"expected at least {CELLS[0]} cells, got {len(notebook['cells'])}"
    if len(code(notebook)) > CELLS[1]:
        yield f"expected at most {CELLS[1]} code cells, got {len(code(notebook))}"
    for cell in code(notebook):
        lines = [line for line in text(cell).splitlines() if line.strip()]
        if len(lines) > MOST_LINES and "parameters" not in cell["metadata"].get("tags", []):
            yield f"a cell has {len(lines)} lines of code, at most {MOST_LINES}: {lines[0]}"


def executed_cleanly(notebook):
    counts = [cell["execution_count"] for cell in code(notebook)]
    if counts != list(range(1, len(counts) + 1)):
        yield f"cells must have been run once, from top to bottom; counts are {counts}"
    for cell in code(notebook):
        for output in cell["outputs"]:
            if output["output_type"] == "error":
                yield f"an output is an error: {output['ename']}"
            if output.get("name") == "stderr":
                yield f"an output is a warning or error text: {''.join(output['text'])[:80]}"
            if any("widget" in kind for kind in output.get("data", {})):
                yield "an output is a widget: run with ADKIT_HEADLESS=1"


def metadata_is_lean(notebook):
    kept = notebook["metadata"]
    if kept.get("kernelspec", {}).get("name") != "python3" or "language_info" not in kept:
        yield "metadata needs kernelspec python3 and language_info: papermill reads them"
    if "widgets" in kept or "papermill" in kept:
        yield "metadata holds widget state or papermill's notes"
    if any({"papermill", "execution"} & set(cell["metadata"]) for cell in notebook["cells"]):
        yield "a cell holds timing or papermill's notes"


def links_lead_somewhere(notebook):
    for body in markdown(notebook):
        for target in re.findall(r"\]\(([^)#\s]+\.(?:ipynb|md))(?:#[\w-]+)?\)", body):
            if "://" not in target and not (FOLDER / target).is_file():
                yield f"{target} is not there"
        for term in re.findall(r"\]\(glossary\.md#([\w-]+)\)", body):
            if f'<a id="{term}"></a>' not in GLOSSARY:
                yield f"the glossary has no {term}"


def portable(notebook):
    if found := absolute_paths(notebook):
        yield f"names folders of one machine: {sorted(set(found))}"
    source = "\n".join(map(text, code(notebook)))
    if "@interact" in source:
        yield "@interact hangs headless runs: use adkit.course.explorers"
    for call in ("begin", "finish"):
        if not re.search(rf"\b{call}\(", source):
            yield f"lesson.{call}(…) is missing"


def pictures_exist(notebook):
    for body in markdown(notebook):
        for target in re.findall(r"!\[[^\]]*\]\(([^)\s]+)|<img[^>]+src=\"([^\"]+)", body):
            path = target[0] or target[1]
            if not path.startswith(("http", "data:", "attachment:")) and not (FOLDER / path).is_file():
                yield f"picture {path} is not there"


RULES = (
    format_is_valid,
    sections_in_order,
    parameters_are_annotated_literals,
    default_is_right,
    sizes,
    executed_cleanly,
    metadata_is_lean,
    portable,
    links_lead_somewhere,
    pictures_exist,
)


# ---- the committed notebooks and results


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.__name__)
@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_committed_notebook(path, rule):
    assert list(rule(json.loads(path.read_text(encoding="utf-8")))) == []


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_notebook_has_its_results(path):
    assert (FOLDER / "results" / f"{path.stem}.json").is_file(), "run it with python -m tests.execute"


def problems_of_results(kept):
    """What is wrong with a committed results.json; an old fingerprint is only worth a warning."""
    if kept["mode"] != "default":
        yield f"results come from a {kept['mode']} run, expected the default run"
    yield from (f"claim does not hold: {claim['text']}" for claim in kept["claims"] if not claim["holds"])
    try:
        old = source_fingerprint(kept["sources"]) != kept["fingerprint"]
    except ValueError:  # a module of that time is gone
        old = True
    if old:
        warnings.warn(f"{kept['name']} was run on older sources; run it again before a release", stacklevel=2)


@pytest.mark.filterwarnings("default:.*older sources:UserWarning")
@pytest.mark.parametrize("path", RESULTS, ids=lambda path: path.stem)
def test_committed_claims_hold(path):
    assert list(problems_of_results(json.loads(path.read_text(encoding="utf-8")))) == []


@pytest.mark.parametrize("path", RESULTS, ids=lambda path: path.stem)
def test_results_are_a_few_numbers(path):
    assert path.stat().st_size < 250_000  # whole results of trainings, with their draws, are megabytes


# ---- the rules themselves: a notebook that keeps to all of them, and one fault at a time


def good_notebook():
    new = nbformat.v4
    bodies = ["# Title\n\nA question? Two minutes.", "## What you will learn\n\n- a\n- b\n- c"]
    cells = [new.new_markdown_cell(body) for body in bodies]
    cells.append(new.new_code_cell("epochs: int = 20  # passes\nlosses: list = ['mse']  # names"))
    cells[-1].metadata.tags = ["parameters"]
    default = digest({"epochs": 20, "losses": ["mse"]})
    cells.append(new.new_code_cell(f'lesson = begin("x", globals(), default="{default}")'))
    cells += [new.new_markdown_cell(f"## {section.capitalize()}") for section in SECTIONS[1:]]
    cells += [new.new_code_cell("print(1)", outputs=[new.new_output("stream", text="1\n")]) for _ in range(5)]
    cells.append(new.new_code_cell("lesson.finish({})"))
    notebook = new.new_notebook(cells=cells)
    for count, cell in enumerate((cell for cell in cells if cell.cell_type == "code"), start=1):
        cell.execution_count = count
    clean(notebook)
    return notebook


def test_a_good_notebook_has_no_problems():
    assert [problem for rule in RULES for problem in rule(good_notebook())] == []


def output(kind, **content):
    return lambda notebook: notebook.cells[-2].outputs.append(nbformat.v4.new_output(kind, **content))


def source(number, body):
    return lambda notebook: notebook.cells[number].update(source=body)


@pytest.mark.parametrize(
    "fault, message",
    [
        (lambda n: n.cells[4].update(cell_type="poem"), "not a valid notebook"),
        (lambda n: n.cells[3].update(id=n.cells[4]["id"]), "not unique"),
        (source(0, "## Title"), "the only # title"),
        (source(4, "# Predict first"), "the only # title"),
        (source(4, "```\n## Predict first\n```"), "no heading 'predict first'"),
        (source(4, "## Quiz, predict first"), "in the order"),
        (source(1, "## What you will learn\n- a"), "three bullets"),
        (lambda n: n.cells[2].metadata.clear(), "one cell tagged parameters, got 0"),
        (lambda n: n.cells.insert(9, n.cells.pop(2)), "must stand between"),
        (source(2, "epochs = 20  # passes"), "a parameter must read like"),
        (source(2, "epochs: int = 20"), "a parameter must read like"),
        (source(2, "epochs: int = 4 * 5  # passes"), "a parameter must read like"),
        (source(2, "epochs: int  # passes"), "a parameter must read like"),
        (source(2, "epochs: int = 21  # passes"), r"not the default run that begin\(\) knows: default='\w{8}'"),
        (source(3, 'begin("x", globals(), default="00000000")'), r"not the default run that begin\(\) knows"),
        (lambda n: n.cells.pop(), "at least 15 cells, got 15"),
        (lambda n: n.cells.extend(n.cells[-1] for _ in range(41)), "at most 40 code cells, got "),
        (source(-2, "\n".join(f"a = {k}" for k in range(16))), "16 lines of code, at most 15"),
        (lambda n: n.cells[-1].update(execution_count=None), "from top to bottom"),
        (output("error", ename="ClaimError", evalue="", traceback=[]), "an error: ClaimError"),
        (output("stream", name="stderr", text="UserWarning: x"), "a warning"),
        (output("display_data", data={"application/vnd.jupyter.widget-view+json": {}}), "a widget"),
        (lambda n: n.metadata.pop("language_info"), "needs kernelspec"),
        (lambda n: n.metadata.update(widgets={}), "widget state"),
        (lambda n: n.cells[2].metadata.update(execution={}), "timing"),
        (output("stream", text="saved to /home/me/runs"), "folders of one machine"),
        (output("execute_result", data={"text/plain": "PosixPath('/tmp/x')"}), "folders of one machine"),
        (source(-2, "@interact\ndef f(x): ..."), "@interact hangs"),
        (source(3, "pass"), r"lesson.begin\(…\) is missing"),
        (source(-1, "pass"), r"lesson.finish\(…\) is missing"),
        (source(5, "## Where it fails\n![x](../images/no.png)"), "no.png is not there"),
        (source(5, "## Where it fails\n[on](99_none.ipynb)"), "99_none.ipynb is not there"),
        (source(5, "## Where it fails\n[PRO](glossary.md#proo)"), "the glossary has no proo"),
        (source(5, '## Where it fails\n<img width="9" src="../images/no.gif">'), "no.gif is not there"),
    ],
)
def test_each_fault_is_found(fault, message):
    notebook = good_notebook()
    fault(notebook)
    if "got 15" in message:
        notebook.cells = notebook.cells[:14]
        message = "at least 15 cells, got 14"
    found = [problem for rule in RULES for problem in rule(json.loads(json.dumps(notebook)))]
    assert any(re.search(message, problem) for problem in found), found


def test_results_with_a_false_claim_or_of_another_mode_are_found():
    kept = {"name": "x", "mode": "default", "claims": [], "sources": ["adkit"]}
    kept["fingerprint"] = source_fingerprint(["adkit"])
    assert list(problems_of_results(kept)) == []
    wrong = kept | {"mode": "fast", "claims": [{"text": "the sky is green", "holds": False}]}
    assert len(list(problems_of_results(wrong))) == 2
    for old in ({"fingerprint": "0"}, {"sources": ["adkit.gone"]}):
        with pytest.warns(UserWarning, match="older sources"):
            assert list(problems_of_results(kept | old)) == []
