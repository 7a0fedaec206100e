# Keeps state and callbacks in the session.
import streamlit as st

st.session_state.setdefault("items", [])


def add():
    st.session_state["items"].append(st.session_state.new)


st.text_input("New item", key="new", on_change=add)
st.write(st.session_state["items"])
