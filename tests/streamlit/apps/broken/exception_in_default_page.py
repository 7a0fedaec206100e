# Fails in the default page of st.navigation.
import streamlit as st


def home():
    st.title("Home")
    raise RuntimeError("The default page fails.")


def other():
    st.title("Other")


st.navigation([st.Page(home, default=True), st.Page(other)]).run()
