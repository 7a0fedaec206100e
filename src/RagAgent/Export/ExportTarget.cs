namespace RagAgent.Export;

internal enum ExportTarget
{
    Ecs,
    Kubernetes,
}
