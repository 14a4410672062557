"""`d2c package` and `d2c subscribe`: the steps before and after azd deploys the app, as azure.yaml calls them."""

import os
from pathlib import Path

import typer

import d2c
from d2c.cli.commands.deploy import EnvFile
from d2c.cli.files import read_env_file
from d2c.cli.outcome import errors_reported
from d2c.cli.session import example
from d2c.deploy.package import package_app
from d2c.deploy.subscribe import real_outside, subscribe_app


def package() -> None:
    """Write the Function app's package into build/package.

    Its host.json names the provider of Durable Functions that D2C_DURABLE_PROVIDER chooses. azd runs this before it
    packages the app.
    """
    with errors_reported(as_json=False):
        folder = package_app(Path(d2c.__file__).parents[1], os.environ)
        typer.echo(f"packaged   {folder}")


def subscribe(env_file: EnvFile = None) -> None:
    """Subscribe the app to the lake's events, after it is deployed.

    Waits up to ten minutes for the app to start. azd runs this after it deploys the app; it needs your sign-in to Azure
    (az login).
    """
    with errors_reported(as_json=False):
        environment = {**os.environ, **(read_env_file(env_file) if env_file else {})}
        subscribe_app(environment, real_outside(), typer.echo)
        typer.echo(f"subscribed {environment['D2C_FUNCTION_APP']}")


def add_azd_steps(app: typer.Typer) -> None:
    """Add the commands to the command line."""
    app.command(epilog=example("d2c package", "D2C_DURABLE_PROVIDER=azureManaged d2c package"))(package)
    app.command(epilog=example("d2c subscribe --env-file .azure/d2c-prod/.env"))(subscribe)
