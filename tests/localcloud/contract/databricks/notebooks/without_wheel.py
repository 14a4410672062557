# Databricks notebook source
import d2c  # noqa: F401
