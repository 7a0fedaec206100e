using System.Net;
using RagAgent.Configuration;
using Xunit;
using static RagAgent.Tests.Configuration.ConfigText;

namespace RagAgent.Tests.Configuration;

/// <summary>Who may come in. What is not clear is refused and never taken for "everybody".</summary>
public class ConfigAccessTests
{
    [Theory]
    [InlineData("\"access\": null")]
    [InlineData("\"access\": {}")]
    [InlineData("\"access\": { \"password\": null, \"networks\": null }")]
    public void Whoever_comes_is_said_in_three_ways(string members) => Assert.Null(AssertAccepted(ConfigWith(members)).Access);

    [Fact]
    public void A_password_is_named_like_a_secret()
    {
        Assert.Equal(new SecretConfig(SecretSource.Ssm, "/hash"), AssertAccepted(ConfigWith("\"access\": { \"password\": \"/hash\" }")).Access!.Password);
        Assert.Equal(new SecretConfig(SecretSource.File, "/run/hash", "field"), AssertAccepted(ConfigWith("\"access\": { \"password\": { \"file\": \"/run/hash\", \"json\": \"field\" } }")).Access!.Password);
        Assert.Equal(new SecretConfig(SecretSource.Credential, "hash"), AssertAccepted(ConfigWith("\"access\": { \"password\": { \"credential\": \"hash\" } }")).Access!.Password);
    }

    [Theory]
    [InlineData("203.0.113.0/24", "203.0.113.0/24")]
    [InlineData("203.0.113.7", "203.0.113.7/32")]
    [InlineData("0.0.0.0/0", "0.0.0.0/0")]
    [InlineData("2001:db8::/32", "2001:db8::/32")]
    [InlineData("2001:DB8::7", "2001:db8::7/128")]
    public void A_network_is_an_address_and_a_length_or_a_single_address(string text, string network) =>
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
    public void A_network_that_is_none_is_refused_by_its_place(string value, string expected) =>
        Assert.Equal($"access.networks[1]: {expected}", AssertSingleError(ConfigWith($$""" "access": { "networks": ["192.0.2.1", {{value}}] } """)));

    [Theory]
    [InlineData("\"networks\": []", "access.networks: is an empty list; list the networks that need no password, or use null")]
    [InlineData("\"networks\": \"10.0.0.0/8\"", "access.networks: must be a list [ … ], but is a string")]
    [InlineData("\"password\": \"open sesame\"", "access.password: must be a parameter name: letters, digits and _ . - /; no spaces, no quotes, and not the value itself")]
    [InlineData("\"password\": \"$pbkdf2-sha256$i=1$a$b\"", "access.password: must be a parameter name: letters, digits and _ . - /; no spaces, no quotes, and not the value itself")]
    [InlineData("\"password\": { \"hunter2\": 1, \"ssm\": \"/a\" }", "access.password: unknown key; the keys here are ssm, file, credential, json")]
    [InlineData("\"password\": { \"ssm\": \"/a\", \"delivery\": \"memory\" }", "access.password: unknown key here; did you mean secrets.NAME.delivery?")]
    [InlineData("\"pasword\": \"/a\"", "access.pasword: unknown key; did you mean 'password'?")]
    public void What_is_wrong_is_refused_and_a_password_in_the_wrong_place_is_not_shown(string members, string expected) =>
        Assert.Equal(expected, AssertSingleError(ConfigWith($$""" "access": { {{members}} } """)));
}
