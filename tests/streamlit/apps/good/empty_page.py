# Sets the page's title only. Nothing is shown, and nothing is wrong.
import streamlit as st

st.set_page_config(page_title="Empty")
