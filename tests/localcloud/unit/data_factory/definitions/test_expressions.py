import pytest

from localcloud.data_factory.definitions.expressions import ExpressionError, evaluate, parse, resolve

SCOPES = {
    "pipeline": {
        "parameters": {"x": "one", "n": 7},
        "globalParameters": {"x": "everywhere"},
        "RunId": "run-1",
    }
}


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("plain", "plain"),
        ("", ""),
        ("a@b", "a@b"),
        ("@pipeline().parameters.x", "one"),
        ("@pipeline().parameters.n", 7),
        ("@pipeline().globalParameters.x", "everywhere"),
        ("@pipeline().RunId", "run-1"),
        ("@{pipeline().parameters.n}", "7"),
        ("a/@{pipeline().parameters.x}/b/@{ pipeline().RunId }", "a/one/b/run-1"),
        ("@concat('a', pipeline().parameters.x, 2)", "aone2"),
        ("@concat('it''s', concat('a', ''))", "it'sa"),
        ("x@{concat('}', '{')}y", "x}{y"),
        ("@@pipeline().RunId", "@pipeline().RunId"),
        ("@ concat ( 'a' , 'b' ) ", "ab"),
        ("@'text'", "text"),
        ("@greater(pipeline().parameters.n, 6)", True),
        ("@greater(pipeline().parameters.n, 7)", False),
    ],
)
def test_an_expression_has_a_value(text, value):
    assert evaluate(parse(text), SCOPES) == value


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("@utcNow()", "the function 'utcNow', which the local Data Factory does not support"),
        ("@{toUpper('a')}", "the function 'toUpper'"),
        ("@activity('a').output", "the function 'activity'"),
        ("@pipeline()", "without a property"),
        ("@pipeline().parameters.", "lacks a property's name"),
        ("@pipeline().parameters['x']", "does not end at"),
        ("@concat('a'", "lacks ')'"),
        ("@concat()", "has ')' where a value should be"),
        ("@concat('a' 'b')", "lacks ')'"),
        ("@{pipeline().RunId", "lacks a closing brace"),
        ("@'a' 'b'", "does not end at"),
        ("@", "lacks a value"),
        ("@pipeline.parameters.x", "lacks '('"),
    ],
)
def test_an_expression_that_is_not_supported_is_refused_with_its_text(text, words):
    with pytest.raises(ExpressionError) as refused:
        parse(text)
    assert words in str(refused.value)
    assert repr(text) in str(refused.value)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("@dataset().x", "dataset() cannot be used here, only pipeline()"),
        ("@pipeline().parameters.y", "property 'y' doesn't exist, available properties are 'x, n'"),
        ("@pipeline().RunId.x", "property 'x' doesn't exist, available properties are 'none'"),
    ],
)
def test_what_is_not_there_is_named(text, words):
    with pytest.raises(ExpressionError) as refused:
        evaluate(parse(text), SCOPES)
    assert words in str(refused.value)


def test_expressions_are_found_wherever_they_stand():
    definition = {
        "a": {"value": "@pipeline().parameters.n", "type": "Expression"},
        "b": ["@{pipeline().parameters.x}", 5, None, True],
        "c": {"d": "plain", "type": "Something"},
    }
    assert resolve(definition, SCOPES) == {
        "a": 7,
        "b": ["one", 5, None, True],
        "c": {"d": "plain", "type": "Something"},
    }
