# Databricks notebook source
# ruff: noqa: F821
dbutils.notebook.exit("ä" * (3 * 2**20))
