using System.CommandLine;
using LocalAws.Cli;

return await new RootCommand("AWS on loopback for tests and demo: instance metadata, Parameter Store, ECR in front of a real registry.")
{
    ServeCommand.Create(),
    ParameterCommand.Create(),
    FaultCommand.Create(),
    RequestsCommand.Create(),
    ExpireCommand.Create(),
}.Parse(args).InvokeAsync(new InvocationConfiguration { ProcessTerminationTimeout = null });
