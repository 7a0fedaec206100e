# Has two pages with the same address.
import streamlit as st


def home():
    st.title("Home")


def other():
    st.title("Other")


st.navigation([st.Page(home, url_path="home"), st.Page(other, url_path="same"), st.Page(home, url_path="same")]).run()
