# Builds its pages with st.navigation.
import streamlit as st


def home():
    st.title("Home")


def settings():
    st.title("Settings")


st.sidebar.write("Above the page")
st.navigation([st.Page(home, default=True), st.Page(settings)]).run()
