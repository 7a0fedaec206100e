using System.CommandLine;

namespace LocalAws.Cli;

/// <summary><c>local-aws instance</c>: changes the instance's addresses.</summary>
internal static class InstanceCommand
{
    public static Command Create()
    {
        var endpoint = AdminClient.EndpointOption();
        var ipv4 = new Option<string?>("--public-ipv4") { Description = "Empty for none." };
        var ipv6 = new Option<string?>("--ipv6") { Description = "Empty for none." };
        var command = new Command("instance", "Change the addresses of the instance in the metadata service.") { endpoint, ipv4, ipv6 };
        command.SetAction((result, stopping) => CommandRunner.RunAsync(() =>
        {
            var query = new[] { ("publicIpv4", result.GetValue(ipv4)), ("ipv6", result.GetValue(ipv6)) }
                .Where(address => address.Item2 is not null).Select(address => $"{address.Item1}={Uri.EscapeDataString(address.Item2!)}");
            return AdminClient.SendAsync(result.GetRequiredValue(endpoint), HttpMethod.Put, $"/instance?{string.Join('&', query)}", null, stopping);
        }));
        return command;
    }
}
