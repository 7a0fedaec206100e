using System.Net;
using RagAgent.Configuration;
using Xunit;
using static RagAgent.Tests.Configuration.ConfigText;

namespace RagAgent.Tests.Configuration;

/// <summary>Ambiguous access settings are rejected and never mean "everyone".</summary>
public class ConfigAccessTests
{
    [Theory]
    [InlineData("\"access\": null")]
    [InlineData("\"access\": {}")]
    [InlineData("\"access\": { \"password\": null, \"networks\": null }")]
    public void Open_access_can_be_written_in_three_ways(string members) => Assert.Null(AssertAccepted(ConfigWith(members)).Access);

    [Fact]
    public void A_password_has_a_source_like_a_secret()
    {
        Assert.Equal(new SecretConfig(SecretSource.Ssm, "/hash"), ReadPassword("\"/hash\""));
        Assert.Equal(
            new SecretConfig(SecretSource.File, "/run/hash", "field"),
            ReadPassword("{ \"file\": \"/run/hash\", \"json\": \"field\" }"));
        Assert.Equal(new SecretConfig(SecretSource.Credential, "hash"), ReadPassword("{ \"credential\": \"hash\" }"));

        static SecretConfig? ReadPassword(string value) =>
            AssertAccepted(ConfigWith($"\"access\": {{ \"password\": {value} }}")).Access!.Password;
    }

    [Theory]
    [InlineData("203.0.113.0/24", "203.0.113.0/24")]
    [InlineData("203.0.113.7", "203.0.113.7/32")]
    [InlineData("0.0.0.0/0", "0.0.0.0/0")]
    [InlineData("2001:db8::/32", "2001:db8::/32")]
    [InlineData("2001:DB8::7", "2001:db8::7/128")]
    public void A_network_is_a_prefix_or_a_single_address(string text, string network) =>
        Assert.Equal([IPNetwork.Parse(network)], AssertAccepted(ConfigWith($$""" "access": { "networks": ["{{text}}"] } """)).Access!.Networks);

    [Theory]
    [InlineData("\"10.0.0.5/8\"", "must begin with the first address of the network, but is \"10.0.0.5/8\"; write \"10.0.0.0/8\", or \"10.0.0.5\" for the single address")]
    [InlineData("\"10.0.0.0/33\"", "must have a prefix length of 0 to 32 after the '/', but is \"10.0.0.0/33\"")]
    [InlineData("\"10.0.0.0/\"", "must have a prefix length of 0 to 32 after the '/', but is \"10.0.0.0/\"")]
    [InlineData("\"10.0.0.0/-1\"", "must have a prefix length of 0 to 32 after the '/', but is \"10.0.0.0/-1\"")]
    [InlineData("\"2001:db8::/129\"", "must have a prefix length of 0 to 128 after the '/', but is \"2001:db8::/129\"")]
    [InlineData("\"10.1\"", "must be a network like \"203.0.113.0/24\", or an address, but is \"10.1\"")]
    [InlineData("\"010.0.0.1\"", "must be a network like \"203.0.113.0/24\", or an address, but is \"010.0.0.1\"")]
    [InlineData("\"fe80::1%eth0\"", "must be a network like \"203.0.113.0/24\", or an address, but is \"fe80::1%eth0\"")]
    [InlineData("\"office.example.com\"", "must be a network like \"203.0.113.0/24\", or an address, but is \"office.example.com\"")]
    [InlineData("\"\"", "must be a network like \"203.0.113.0/24\", or an address, but is \"\"")]
    [InlineData("\"::ffff:10.0.0.0/104\"", "must be written as IPv4, but is \"::ffff:10.0.0.0/104\"; write \"10.0.0.0/8\"")]
    [InlineData("7", "must be a network like \"203.0.113.0/24\", or an address, but is a number")]
    public void An_invalid_network_is_rejected_with_its_index(string value, string expected) =>
        Assert.Equal($"access.networks[1]: {expected}", AssertSingleError(ConfigWith($$""" "access": { "networks": ["192.0.2.1", {{value}}] } """)));

    [Theory]
    [InlineData("\"networks\": []", "access.networks: is an empty list; list the networks that need no password, or use null")]
    [InlineData("\"networks\": \"10.0.0.0/8\"", "access.networks: must be a list [ … ], but is a string")]
    [InlineData("\"password\": \"open sesame\"", "access.password: must be a parameter name: letters, digits and _ . - /; no spaces, no quotes, and not the value itself")]
    [InlineData(
        "\"password\": \"$pbkdf2-sha256$i=1$a$b\"",
        "access.password: must be a parameter name: letters, digits and _ . - /; no spaces, no quotes, and not the value itself")]
    [InlineData("\"password\": { \"hunter2\": 1, \"ssm\": \"/a\" }", "access.password: unknown key; the keys here are ssm, file, credential, json")]
    [InlineData("\"password\": { \"ssm\": \"/a\", \"delivery\": \"memory\" }", "access.password: unknown key here; did you mean secrets.NAME.delivery?")]
    [InlineData("\"pasword\": \"/a\"", "access.pasword: unknown key; did you mean 'password'?")]
    public void Invalid_access_settings_are_rejected_and_never_show_a_password(string members, string expected) =>
        Assert.Equal(expected, AssertSingleError(ConfigWith($$""" "access": { {{members}} } """)));
}
