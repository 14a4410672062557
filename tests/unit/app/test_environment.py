from typing import Literal

import pytest
from pydantic import BaseModel, Field, ValidationError, field_validator

from d2c.app.environment import SettingsGroup, faults_of, fields_of, json_object


class Timing(SettingsGroup):
    seconds: float = Field(10, validation_alias="SECONDS", ge=0.5, le=60)
    tries: int = Field(3, validation_alias="TRIES", ge=1, le=5)


class Model(BaseModel):
    host: str = Field(validation_alias="HOST", description="the server's address")
    kind: Literal["fast", "safe"] = Field("safe", validation_alias="KIND")
    key: str = Field("", validation_alias="KEY")
    timing: Timing

    @field_validator("key")
    @classmethod
    def _refuse(cls, key):
        raise ValueError("KEY is too short", "KEY is too simple") if key else ValueError("KEY is missing")


def faults(timing=None, **values):
    with pytest.raises(ValidationError) as refused:
        Model.model_validate({"timing": timing or {}, **values})
    return faults_of(Model, refused.value.errors())


def test_the_variables_of_groups_are_among_those_of_the_model():
    assert [name for name, _ in fields_of(Model)] == ["HOST", "KIND", "KEY", "SECONDS", "TRIES"]


def test_every_fault_names_its_variable_and_the_valid_values():
    timing = {"SECONDS": "nan", "TRIES": "many"}
    assert faults(timing, KIND="slow", KEY="hidden") == [
        "HOST is missing: the server's address",
        "KIND is 'slow', not one of fast, safe",
        "KEY is too short",
        "KEY is too simple",
        "SECONDS is 'nan', not a number from 0.5 to 60",
        "TRIES is 'many', not a whole number from 1 to 5",
    ]


@pytest.mark.parametrize(
    ("text", "fault"), [("{", "NAME is not JSON: "), ("[]", "NAME is not a JSON object")]
)
def test_a_text_without_a_json_object_is_refused_by_name(text, fault):
    with pytest.raises(ValueError, match=fault):
        json_object("NAME", text)
