using System.CommandLine;
using LocalAws.Cli;

var command = new RootCommand("AWS on loopback for tests and demo: instance metadata, Parameter Store, ECR in front of a real registry, Route 53.")
{
    ServeCommand.Create(),
    ParameterCommand.Create(),
    ZoneCommand.Create(),
    InstanceCommand.Create(),
    FaultCommand.Create(),
    RequestsCommand.Create(),
    ExpireCommand.Create(),
};
// @FILE means a value here, not a file with more arguments. Signals stop `serve` gracefully, without a time limit.
return await command
    .Parse(args, new ParserConfiguration { ResponseFileTokenReplacer = null })
    .InvokeAsync(new InvocationConfiguration { ProcessTerminationTimeout = null });
