"""The page that explains every name of the face: `python -m srlab.book.reference` writes it."""

import ast
import inspect
from pathlib import Path

import srlab
from srlab.book.cache import PACKAGE, face
from srlab.files import replace_text
from srlab.pages.templates import page

PAGE = Path("book/reference.md")


def reference() -> str:
    """The page, in MyST Markdown."""
    return page("reference.md", sections=map(_section, sorted(face(), key=str.lower)))


def _section(address: str) -> dict[str, str]:
    name = address.removeprefix("srlab.")
    text, prompt, examples = (inspect.getdoc(getattr(srlab, name)) or "").partition(">>> ")
    return {
        "name": name,
        "signature": _signature(name),
        "text": text.strip(),
        "examples": (prompt + examples).strip(),
        "file": f"{face()[address].replace('.', '/')}.py",
    }


def _signature(name: str) -> str:
    """As it stands in the source: annotations by their names, defaults as they were written."""
    source = PACKAGE.joinpath(*face()[f"srlab.{name}"].split(".")[1:]).with_suffix(".py")
    for node in ast.parse(source.read_text("utf-8")).body:
        if isinstance(node, ast.FunctionDef) and node.name == name:
            result = f" -> {ast.unparse(node.returns)}" if node.returns else ""
            return _broken(f"{name}({ast.unparse(node.args)}){result}")
        if isinstance(node, ast.ClassDef) and node.name == name:
            fields = [ast.unparse(line) for line in node.body if isinstance(line, ast.AnnAssign)]
            return f"{name}(\n" + "".join(f"    {field},\n" for field in fields) + ")"
    raise LookupError(f"{source} defines no {name}")


def _broken(signature: str) -> str:
    """One argument a line where the whole is long."""
    if len(signature) <= 88:
        return signature
    start, rest = signature.split("(", 1)
    arguments, result = rest.rsplit(") -> ", 1)
    lines, depth = [""], 0
    for sign in arguments:
        depth += (sign in "[(") - (sign in "])")
        if sign == "," and not depth:
            lines.append("")
        else:
            lines[-1] += sign
    listed = "".join(f"    {line.strip()},\n" for line in lines)
    return f"{start}(\n{listed}) -> {result}"


if __name__ == "__main__":
    replace_text(PAGE, reference())
