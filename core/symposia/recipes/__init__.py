"""Recipes: YAML in layers, checked against what is installed before anything runs."""

from symposia.constitutions import load_constitution
from symposia.recipes.loading import LoadedRecipe, check_recipe, find_recipe, load_mapping, load_recipe
from symposia.recipes.schema import recipe_schema

__all__ = [
    "LoadedRecipe",
    "check_recipe",
    "find_recipe",
    "load_constitution",
    "load_mapping",
    "load_recipe",
    "recipe_schema",
]
