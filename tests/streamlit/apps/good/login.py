# Shows a login form and stops until someone has logged in.
import streamlit as st

if "user" not in st.session_state:
    with st.form("login"):
        user = st.text_input("User")
        st.text_input("Password", type="password")
        if st.form_submit_button("Log in"):
            st.session_state.user = user
            st.rerun()
    st.stop()
st.write("Welcome,", st.session_state.user)
