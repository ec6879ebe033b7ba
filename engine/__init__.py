"""Everything about colour: conversion, themes, hints, networks, training, full-size results.

A library of its own: it knows neither GIMP nor the server. Start at `engine.colorizer`.
"""
