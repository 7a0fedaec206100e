# Handles an exception of its own class and shows it, type and all.
import streamlit as st


class QuotaExceeded(Exception):
    """The model provider refuses for today."""


def answer():
    raise QuotaExceeded("Try again tomorrow.")


st.title("Chat")
try:
    answer()
except QuotaExceeded as exception:
    st.exception(exception)
st.chat_input("Ask something")
