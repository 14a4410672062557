# Databricks notebook source
pass
