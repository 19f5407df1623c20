"""Rubrics and checks of a few lines, as text."""

TOP = 'title = "X"\n[[task]]\nid = "t"\ntitle = "T"\n'


def criterion(id_, kind="code", more="", points=1):
    where = "" if kind == "code" else 'where = ["T"]\n'
    return (
        f'[[criterion]]\nid = "{id_}"\ntask = "t"\ntitle = "{id_}"\npoints = {points}\n'
        f'kind = "{kind}"\n{where}{more}'
    )


def cue(case):
    return f'[[criterion.cue]]\ncase = "{case}"\nasks = "{case}"\nany = ["{case}"]\n'


def check(id_, name="holds", cases=(), body="pass"):
    marked = f'@pytest.mark.criterion("{id_}")\n'
    given = f'@pytest.mark.parametrize("case", {list(cases)})\n' if cases else ""
    argument = "submission, case" if cases else "submission"
    return f"{marked}{given}def test_{name}({argument}):\n    {body}\n"
