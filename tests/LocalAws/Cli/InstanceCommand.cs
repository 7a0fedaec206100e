using System.CommandLine;

namespace LocalAws.Cli;

/// <summary><c>local-aws instance</c>: gives the instance other addresses.</summary>
internal static class InstanceCommand
{
    public static Command Create()
    {
        var endpoint = AdminClient.EndpointOption();
        var ipv4 = new Option<string?>("--public-ipv4") { Description = "Empty: it has none." };
        var ipv6 = new Option<string?>("--ipv6") { Description = "Empty: it has none." };
        var command = new Command("instance", "Change what the metadata service says of the instance's addresses.") { endpoint, ipv4, ipv6 };
        command.SetAction((result, stopping) => CommandRunner.RunAsync(() =>
        {
            var query = new[] { ("publicIpv4", result.GetValue(ipv4)), ("ipv6", result.GetValue(ipv6)) }
                .Where(address => address.Item2 is not null).Select(address => $"{address.Item1}={Uri.EscapeDataString(address.Item2!)}");
            return AdminClient.SendAsync(result.GetRequiredValue(endpoint), HttpMethod.Put, $"/instance?{string.Join('&', query)}", null, stopping);
        }));
        return command;
    }
}
