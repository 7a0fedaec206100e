namespace RagAgent.Configuration;
public static class ConfigReader { }
