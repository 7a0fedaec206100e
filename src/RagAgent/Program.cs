using RagAgent.Cli;
using RagAgent.Diagnostics;

// Asked for by every script that installs or upgrades: answered before anything else is loaded.
if (args is ["--version"])
{
    return await StandardOutput.WriteAsync($"ragagent {AgentVersion.Short}\n");
}
return await CommandInvoker.RunAsync(CommandLine.Create().Parse(args));
