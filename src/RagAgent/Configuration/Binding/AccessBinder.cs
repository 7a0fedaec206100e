using System.Globalization;
using System.Net;
using System.Net.Sockets;
using RagAgent.Configuration.Errors;
using RagAgent.Configuration.Json;

namespace RagAgent.Configuration.Binding;

/// <summary>The <c>access</c> section.</summary>
internal static class AccessBinder
{
    private const string Expected = "a network like \"203.0.113.0/24\", or an address";

    /// <returns>Null: open to everyone who can reach the port.</returns>
    public static AccessConfig? Bind(ConfigSection file, ConfigErrors errors)
    {
        if (file.IsNull("access"))
        {
            return null;
        }

        var section = file.Child("access");
        var source = section.Read<ConfigNode?>("password", null, (ConfigNode node, out ConfigNode? value) =>
        {
            value = node is NullNode ? null : node;
            return null;
        });
        var access = new AccessConfig
        {
            Password = source is null ? null : SecretsBinder.BindSource(KnownKeys.Password, source, KnownKeys.Password, errors),
            Networks = section.IsNull("networks") ? [] : BindNetworks(section, errors),
        };
        return access is { Password: null, Networks: [] } ? null : access;
    }

    private static List<IPNetwork> BindNetworks(ConfigSection section, ConfigErrors errors)
    {
        var networks = new List<IPNetwork>();
        foreach ((var path, var node) in section.Items("networks"))
        {
            if (ParseNetwork(node, out var network) is { } problem)
            {
                errors.Add(node.Position, path, problem);
            }
            else
            {
                networks.Add(network);
            }
        }

        // Could mean "nobody" or "everybody". Access rules are not guessed.
        if (section.Has("networks") && section.AreValid("networks") && !section.Items("networks").Any())
        {
            section.AddError("networks", "is an empty list; list the networks that need no password, or use null");
        }

        return networks;
    }

    private static string? ParseNetwork(ConfigNode node, out IPNetwork network)
    {
        network = default;
        if (node is not StringNode { Value: var text })
        {
            return ErrorMessages.WrongType(Expected, node);
        }

        var slash = text.IndexOf('/', StringComparison.Ordinal);
        var first = slash < 0 ? text : text[..slash];
        if (!IsAddress(first, out var address))
        {
            return ErrorMessages.Must($"be {Expected}", Quoting.Value(text));
        }

        var maxLength = address.AddressFamily == AddressFamily.InterNetwork ? 32 : 128;
        var length = maxLength;
        if (slash >= 0 && !(int.TryParse(text.AsSpan(slash + 1), NumberStyles.None, null, out length) && length <= maxLength))
        {
            return ErrorMessages.Must($"have a prefix length of 0 to {maxLength} after the '/'", Quoting.Value(text));
        }

        if (address.IsIPv4MappedToIPv6)
        {
            var suffix = slash < 0 || length < 96 ? "" : $"/{length - 96}";
            return ErrorMessages.Must("be written as IPv4", Quoting.Value(text), $"write \"{address.MapToIPv4()}{suffix}\"");
        }

        var candidate = new IPNetwork(ApplyMask(address, length), length);
        if (!candidate.BaseAddress.Equals(address))
        {
            return ErrorMessages.Must(
                "begin with the first address of the network",
                Quoting.Value(text),
                $"write \"{candidate}\", or \"{address}\" for the single address");
        }

        network = candidate;
        return null;
    }

    /// <summary>
    /// Accepts addresses written in full only. The framework's parser also takes <c>10.1</c>, <c>0x7f000001</c> and <c>010.0.0.1</c>,
    /// which are more likely mistakes than intended.
    /// </summary>
    private static bool IsAddress(string text, out IPAddress address)
    {
        var parsed = IPAddress.TryParse(text, out var found);
        address = found ?? IPAddress.None;
        if (!parsed)
        {
            return false;
        }

        return address.AddressFamily == AddressFamily.InterNetwork
            ? address.ToString() == text
            : !text.Contains('%', StringComparison.Ordinal) && !text.Contains('[', StringComparison.Ordinal);
    }

    private static IPAddress ApplyMask(IPAddress address, int length)
    {
        var bytes = address.GetAddressBytes();
        for (var index = 0; index < bytes.Length; index++)
        {
            var keptBits = Math.Clamp(length - index * 8, 0, 8);
            bytes[index] &= (byte)(0xff << (8 - keptBits));
        }

        return new IPAddress(bytes);
    }
}
