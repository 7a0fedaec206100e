using System.Text;
using RagAgent.Configuration;

namespace RagAgent.Tests.Export;

/// <summary>Configurations to export: the smallest one, and one that sets every key with influence on a document.</summary>
internal static class ExportSamples
{
    public const string Minimal = """{ "image": "ragstream-web", "secrets": { "OPENAI_API_KEY": "/ragstream/OPENAI_API_KEY" } }""";

    public const string Complete = """
        {
          "image": "team/ragstream.web:stable",
          "aws": { "region": "cn-north-1" },
          "secrets": {
            "A_PLAIN": "/ragstream/A",
            "A_VERSION": "/ragstream/A:3",
            "AN_ARN": "arn:aws-cn:ssm:cn-north-1:123456789012:parameter/ragstream/B:label",
            "A_FIELD": { "ssm": "/ragstream/all", "json": "it's" },
            "A_SECRET": { "ssm": "/aws/reference/secretsmanager/ragstream/openai", "json": "key" },
            "A_FILE": { "file": "/run/secrets/open ai", "delivery": "environment" },
            "A_CREDENTIAL": { "credential": "openai", "json": "x" }
          },
          "environment": { "HF_HOME": "/cache", "TEMPLATE": "$(HF_HOME) \"<é>\"" },
          "container": {
            "name": "Rag.stream_1", "port": 8080, "memory": "1500m", "cpus": 0.5, "user": "1001:1002", "readOnlyRoot": true, "stopTimeout": "3m",
            "volumes": [
              { "host": "/var/lib/ragstream/logs", "container": "/app/data/logs" },
              { "host": "/srv/logs", "container": "/app/other", "readOnly": true },
              { "host": "models.v1", "container": "/models" },
              { "host": "models.v1", "container": "/models-again" }
            ]
          },
          "listen": { "http": 8081, "https": 8443, "basePath": "/rag" },
          "tls": { "certificate": "/etc/c.pem", "key": "/etc/k.pem" },
          "access": { "password": "/ragstream/PASSWORD_HASH" },
          "page": { "title": "Rag" },
          "health": {
            "startup": { "interval": "500ms", "timeout": "1500ms", "deadline": "90s" },
            "gate": { "path": "/ready" },
            "liveness": { "path": "/healthz?deep=1", "interval": "3s", "timeout": "10s", "failures": 20 }
          },
          "restart": { "firstDelay": "2s" },
          "update": { "boot": "cached", "drain": "10m" },
          "dns": { "zone": "Z1", "name": "rag.example.com" },
          "idle": {}
        }
        """;

    public static AgentConfig Read(string text) =>
        ConfigReader.Read(Encoding.UTF8.GetBytes(text), "ragagent.json").Config
        ?? throw new ArgumentException("This configuration is invalid.", nameof(text));
}
