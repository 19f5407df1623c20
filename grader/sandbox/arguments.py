"""Finds a value for every parameter that the constructor of a model class needs."""

from __future__ import annotations

import ast
import inspect
from collections.abc import Mapping
from typing import Any

import torch

from grader.records import Json
from grader.sandbox.call_site import Passed, Unknown, argument, calls_of, passed_argument
from grader.sandbox.faults import InterfaceGap
from grader.sandbox.source import ModelSite, Vocabulary

_NAMED = (
    inspect.Parameter.POSITIONAL_ONLY,
    inspect.Parameter.POSITIONAL_OR_KEYWORD,
    inspect.Parameter.KEYWORD_ONLY,
)


class Binder:
    """Binds the sizes of one build; `roles` are those that the class takes.

    `gpu_argument` says what it got for its GPUs, where it takes a count or devices.
    """

    def __init__(
        self,
        site: ModelSite,
        words: Vocabulary,
        namespace: Mapping[str, Any],
        sizes: Mapping[str, int],
    ) -> None:
        self.site = site
        self.words = words
        self.namespace = namespace
        self.sizes = sizes
        self.roles: set[str] = set()
        self.gpu_argument: Json | None = None

    def bind(self, cls: type) -> inspect.BoundArguments:
        """Arguments for `cls`. Raises InterfaceGap where a parameter's meaning is unknown."""
        try:
            signature = inspect.signature(cls)
        except (TypeError, ValueError) as error:
            raise InterfaceGap(f"the parameters of {cls.__name__} cannot be read") from error
        bound = inspect.BoundArguments(signature, {})
        for position, parameter in enumerate(signature.parameters.values()):
            if parameter.kind in _NAMED:
                self._bind(bound.arguments, parameter, position)
        self._bind_others(bound)
        return bound

    def _bind_others(self, bound: inspect.BoundArguments) -> None:
        """What class.toml gives to no parameter of a name goes into `**options`, if there are."""
        taken = {p.name for p in bound.signature.parameters.values() if p.kind in _NAMED}
        others = [name for name in self.words.given.names() if name not in taken]
        if not others:
            return
        kinds = {p.kind: p.name for p in bound.signature.parameters.values()}
        if inspect.Parameter.VAR_KEYWORD not in kinds:
            raise InterfaceGap(
                f"class.toml gives a value for {others[0]!r}, which is no parameter of "
                f"{self.site.name}; its parameters are {bound.signature}"
            )
        options = {name: self._given(name) for name in others}
        bound.arguments[kinds[inspect.Parameter.VAR_KEYWORD]] = options

    def _bind(self, arguments: dict[str, Any], parameter: inspect.Parameter, position: int) -> None:
        name = parameter.name
        required = parameter.default is inspect.Parameter.empty
        if name in self.words.given.names() and self.words.role(name) is None:
            arguments[name] = self._given(name)
            return
        role = self.words.role(name) or self._role_at_call(name, position)
        if role in ("width", "depth"):
            self.roles.add(role)
            arguments[name] = self.sizes[role]
        elif role in ("gpus", "devices"):
            self._bind_gpus(arguments, name, position, role, required)
        elif required:
            raise InterfaceGap(
                f"{self.site.name}.__init__ needs {name!r}, and we do not know what to pass for it"
            )

    def _given(self, name: str) -> Any:
        """The value that class.toml gives, with what is asked for in the place of its roles."""

        def asked(role: str) -> Any:
            if role in ("width", "depth"):
                self.roles.add(role)
                return self.sizes[role]
            self.gpu_argument = {"parameter": name, "text": "class.toml", "by": "grader"}
            return self._gpus(role)

        return self.words.given.built(name, asked)

    def _gpus(self, role: str) -> Any:
        count = self.sizes["gpus"]
        return count if role == "gpus" else [torch.device("cuda", i) for i in range(count)]

    def _role_at_call(self, name: str, position: int) -> str | None:
        """The role of what the script passes there: Model(DIM, DEPTH) says it by its names."""
        for call in calls_of(self.site.tree, self.site.name):
            expression = argument(call, name, position)
            if isinstance(expression, ast.Name):
                return self.words.role(expression.id)
        return None

    def _bind_gpus(
        self, arguments: dict[str, Any], name: str, position: int, role: str, required: bool
    ) -> None:
        passed = passed_argument(self.site.tree, self.site.name, name, position)
        if passed is None and not required:
            return  # the class looks for itself
        by, text = "grader", passed.text if passed else ""
        value = self._gpus(role)
        if isinstance(passed, Passed):
            try:
                value, by = self._evaluate(passed), "script"
            except BaseException as error:  # ours to follow, so never their fault
                passed = Unknown(f"{text} ({type(error).__name__})")
                text = passed.text
        if by != "script" and not required:
            by = "default"  # what the class does when it is not told
        else:
            arguments[name] = value
        self.gpu_argument = {"parameter": name, "text": text, "by": by}

    def _evaluate(self, passed: Passed) -> Any:
        names = dict(self.namespace)
        setup = ast.fix_missing_locations(ast.Module(body=list(passed.setup), type_ignores=[]))
        expression = ast.Expression(passed.expression)
        exec(compile(setup, "<script>", "exec"), names)  # noqa: S102
        return eval(compile(expression, "<script>", "eval"), names)  # noqa: S307
