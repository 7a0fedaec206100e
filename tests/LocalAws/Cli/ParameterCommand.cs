using System.CommandLine;
using LocalAws.Ssm;

namespace LocalAws.Cli;

/// <summary><c>local-aws parameter put</c>.</summary>
internal static class ParameterCommand
{
    public static Command Create()
    {
        var endpoint = AdminClient.EndpointOption();
        var name = new Argument<string>("NAME");
        var value = new Argument<string>("VALUE") { Description = "@FILE, or - for standard input." };
        var type = new Option<ParameterType>("--type") { DefaultValueFactory = _ => ParameterType.SecureString };
        var put = new Command("put", "Add a version of a parameter.") { endpoint, name, value, type };
        put.SetAction((result, stopping) => CommandRunner.RunAsync(async () =>
        {
            using var content = new StringContent(ValueSource.Read(result.GetRequiredValue(value)));
            var path = $"/parameters?name={Uri.EscapeDataString(result.GetRequiredValue(name))}&type={result.GetValue(type)}";
            await Console.Out.WriteLineAsync(
                await AdminClient.SendAsync(result.GetRequiredValue(endpoint), HttpMethod.Put, path, content, stopping));
        }));
        return new Command("parameter", "Manage the parameters of a running LocalAws.") { put };
    }
}
