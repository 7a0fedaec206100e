using System.Net;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text.Json.Nodes;
using LocalAws;
using LocalAws.Faults;
using LocalAws.Route53;
using LocalAws.Signing;
using RagAgent.IntegrationTests.Support;
using Xunit;

namespace RagAgent.IntegrationTests.LocalAwsTests;

/// <summary>The aws command, skopeo and the ECR credential helper work with LocalAws.</summary>
public sealed class AwsClientCompatibilityTests : LocalAwsTestBase
{
    private const string EcrHost = "api.ecr.eu-central-1.amazonaws.com";
    private const string RegistryName = "123456789012.dkr.ecr.eu-central-1.amazonaws.com";
    private readonly X509Certificate2 _certificate = CertificateFor(EcrHost);

    protected override LocalAwsOptions Options => base.Options with { TlsCertificate = _certificate };

    public override async ValueTask DisposeAsync()
    {
        await base.DisposeAsync();
        _certificate.Dispose();
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task The_aws_command_writes_and_reads_a_parameter(bool asTheInstance)
    {
        (await AwsAsync(
            asTheInstance, "ssm", "put-parameter", "--name", "/x", "--type", "SecureString", "--value", "planted")).AssertSucceeded();

        var read = (await AwsAsync(asTheInstance, "ssm", "get-parameter", "--name", "/x", "--with-decryption")).AssertSucceeded();

        Assert.Equal("planted", JsonNode.Parse(read)!["Parameter"]!["Value"]!.GetValue<string>());
        Assert.Equal(
            asTheInstance ? "arn:aws:sts::123456789012:assumed-role/ragstream-instance/i-0123456789abcdef0" : "arn:aws:iam::123456789012:user/static",
            Assert.Single(Aws.Requests.ByOperation("ssm:GetParameter")).Principal);
    }

    [Fact]
    public async Task The_aws_command_reports_a_missing_parameter()
    {
        var failure = (await AwsAsync(false, "ssm", "get-parameter", "--name", "/nope")).AssertFailed();

        Assert.StartsWith("An error occurred (ParameterNotFound) when calling the GetParameter operation", failure, StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_aws_command_stops_the_instance_and_supports_a_dry_run()
    {
        var stops = 0;
        Aws.StopAccepted += () => stops++;

        Assert.StartsWith("An error occurred (DryRunOperation) when calling the StopInstances operation: Request would have succeeded, but DryRun flag is set.",
            (await AwsAsync(true, "ec2", "stop-instances", "--instance-ids", Aws.Instance.InstanceId, "--dry-run")).AssertFailed(),
            StringComparison.Ordinal);
        Assert.Equal(0, stops);
        var stopped = JsonNode.Parse((await AwsAsync(
            true, "ec2", "stop-instances", "--instance-ids", Aws.Instance.InstanceId)).AssertSucceeded())!["StoppingInstances"]![0]!;

        Assert.Equal((Aws.Instance.InstanceId, "stopping", "running", 1),
            ((string)stopped["InstanceId"]!, (string)stopped["CurrentState"]!["Name"]!, (string)stopped["PreviousState"]!["Name"]!, stops));
        var call = Aws.Requests.ByOperation("ec2:StopInstances")[^1];
        Assert.Equal(
            ("arn:aws:sts::123456789012:assumed-role/ragstream-instance/i-0123456789abcdef0", "arn:aws:ec2:eu-central-1:123456789012:instance/i-0123456789abcdef0"),
            (call.Principal, call.Resource));
    }

    [Theory]
    [InlineData("i-0123456789abcdef1", null, "(InvalidInstanceID.NotFound) when calling the StopInstances operation: The instance ID 'i-0123456789abcdef1' does not exist")]
    [InlineData("i-7", null, "(InvalidInstanceID.Malformed) when calling the StopInstances operation: Invalid id: \"i-7\"")]
    [InlineData(
        "i-0123456789abcdef0", "UnauthorizedOperation",
        "(UnauthorizedOperation) when calling the StopInstances operation: You are not authorized to perform this " +
            "operation. User: arn:aws:iam::123456789012:user/static is not authorized to perform: ec2:StopInstances on " +
            "resource: arn:aws:ec2:eu-central-1:123456789012:instance/i-0123456789abcdef0 because")]
    [InlineData(
        "i-0123456789abcdef0", "OperationNotPermitted",
        "(OperationNotPermitted) when calling the StopInstances operation: The instance 'i-0123456789abcdef0' may not be stopped.")]
    public async Task The_aws_command_reports_EC2_errors(string instance, string? fault, string expected)
    {
        if (fault is not null)
        {
            Aws.Faults.Add("ec2:StopInstances", new Fault.Error(fault));
        }

        var failure = (await AwsAsync(false, "ec2", "stop-instances", "--instance-ids", instance)).AssertFailed();

        Assert.StartsWith($"An error occurred {expected}", failure, StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_aws_command_finds_a_zone_and_changes_and_lists_its_records()
    {
        Aws.HostedZones.Add(ZoneId, "example.com");
        Aws.HostedZones.Add("Z0000000000", "example.org");

        var zones = JsonNode.Parse(
            (await AwsAsync(true, "route53", "list-hosted-zones-by-name", "--dns-name", "example.com")).AssertSucceeded())!["HostedZones"]!
            .AsArray();
        Assert.Equal(($"/hostedzone/{ZoneId}", "example.com."), ((string)zones[0]!["Id"]!, (string)zones[0]!["Name"]!));

        var change = JsonNode.Parse((await ChangeAsync(
            Upsert("Rag.example.com", "A", "203.0.113.7"),
            Upsert("*.example.com", "AAAA", "2001:db8::7"))).AssertSucceeded())!["ChangeInfo"]!;
        Assert.Equal("PENDING", (string)change["Status"]!);
        Clock.Advance(HostedZones.PropagationDelay);
        Assert.Equal("INSYNC", (string)JsonNode.Parse(
            (await AwsAsync(true, "route53", "get-change", "--id", (string)change["Id"]!)).AssertSucceeded())!["ChangeInfo"]!["Status"]!);
        (await ChangeAsync("""
            {
              "Action": "UPSERT",
              "ResourceRecordSet": {
                "Name": "www.example.com",
                "Type": "A",
                "AliasTarget": { "HostedZoneId": "Z2FDTNDATAQYW2", "DNSName": "d1.cloudfront.net", "EvaluateTargetHealth": false }
              }
            }
            """, """
            {
              "Action": "CREATE",
              "ResourceRecordSet": {
                "Name": "w.example.com", "Type": "A", "SetIdentifier": "blue", "Weight": 10, "TTL": 60,
                "ResourceRecords": [ { "Value": "1.1.1.1" } ]
              }
            }
            """)).AssertSucceeded();

        Assert.Equal(["\\052.example.com. AAAA", "rag.example.com. A", "w.example.com. A", "www.example.com. A"], await ListAsync());
        Assert.Equal(
            ["rag.example.com. A"],
            await ListAsync("--start-record-name", "rag.example.com", "--start-record-type", "A", "--max-items", "1"));
        var weighted = Aws.HostedZones.Records(ZoneId).Single(set => set.SetIdentifier is not null);
        Assert.Equal(("blue", 10L), (weighted.SetIdentifier, weighted.Weight));
        var call = Aws.Requests.ByOperation("route53:ChangeResourceRecordSets")[0];
        Assert.Equal(("arn:aws:sts::123456789012:assumed-role/ragstream-instance/i-0123456789abcdef0", $"arn:aws:route53:::hostedzone/{ZoneId}"), (call.Principal, call.Resource));

        (await ChangeAsync(
            Upsert("rag.example.com", "A", "203.0.113.7").Replace("UPSERT", "DELETE", StringComparison.Ordinal))).AssertSucceeded();
        Assert.Null(Aws.HostedZones.FindValue(ZoneId, "rag.example.com"));
    }

    [Theory]
    [InlineData(
        "UPSERT", "rag.example.org", "A", "1.1.1.1",
        "(InvalidChangeBatch) when calling the ChangeResourceRecordSets operation: [RRSet with DNS name rag.example.org. is not permitted in zone example.com.]")]
    [InlineData(
        "UPSERT", "rag.example.com", "A", "x",
        "(InvalidChangeBatch) when calling the ChangeResourceRecordSets operation: [Invalid Resource Record: 'FATAL " +
            "problem: ARRDATAIllegalIPv4Address (Value is not a valid IPv4 address) encountered with 'x'']")]
    [InlineData(
        "UPSERT", "taken.example.com", "A", "1.1.1.1",
        "(InvalidChangeBatch) when calling the ChangeResourceRecordSets operation: [RRSet of type A with DNS name " +
            "taken.example.com. is not permitted because a conflicting RRSet of type CNAME with the same DNS name already " +
            "exists in zone example.com.]")]
    [InlineData(
        "UPSERT", "weighted.example.com", "A", "1.1.1.1",
        "(InvalidChangeBatch) when calling the ChangeResourceRecordSets operation: [RRSet with DNS name weighted.example.com., type A, SetIdentifier null cannot be created")]
    [InlineData(
        "CREATE", "there.example.com", "A", "1.1.1.1",
        "(InvalidChangeBatch) when calling the ChangeResourceRecordSets operation: [Tried to create resource record set " +
            "[name='there.example.com.', type='A'] but it already exists]")]
    [InlineData(
        "DELETE", "there.example.com", "A", "1.1.1.1",
        "(InvalidChangeBatch) when calling the ChangeResourceRecordSets operation: [Tried to delete resource record set " +
            "[name='there.example.com.', type='A'] but the values provided do not match the current values]")]
    [InlineData(
        "DELETE", "gone.example.com", "A", "1.1.1.1",
        "(InvalidChangeBatch) when calling the ChangeResourceRecordSets operation: [Tried to delete resource record set " +
            "[name='gone.example.com.', type='A'] but it was not found]")]
    public async Task The_aws_command_reports_Route_53_errors_and_no_record_changes(
        string action, string name, string type, string value, string expected)
    {
        Aws.HostedZones.Add(ZoneId, "example.com");
        Aws.HostedZones.Put(ZoneId, new ResourceRecordSet("taken.example.com", "CNAME", 60, ["x.example.net"]));
        Aws.HostedZones.Put(ZoneId, new ResourceRecordSet("there.example.com", "A", 60, ["2.2.2.2"]));
        Aws.HostedZones.Put(ZoneId, new ResourceRecordSet("weighted.example.com", "A", 60, ["2.2.2.2"], SetIdentifier: "blue", Weight: 1));
        var before = Aws.HostedZones.Records(ZoneId);

        // A batch is all or nothing, so the valid change must not be made either.
        var failure = (await ChangeAsync(
            Upsert("good.example.com", "A", "3.3.3.3"),
            Upsert(name, type, value).Replace("UPSERT", action, StringComparison.Ordinal))).AssertFailed();

        Assert.StartsWith($"An error occurred {expected}", failure, StringComparison.Ordinal);
        Assert.Equal(before, Aws.HostedZones.Records(ZoneId));
    }

    [Theory]
    [InlineData(null, "(NoSuchHostedZone) when calling the ChangeResourceRecordSets operation: No hosted zone found with ID: Z0123456789ABCDEFGHIJ")]
    [InlineData(
        "AccessDenied",
        "(AccessDenied) when calling the ChangeResourceRecordSets operation: User: " +
            "arn:aws:sts::123456789012:assumed-role/ragstream-instance/i-0123456789abcdef0 is not authorized to perform: " +
            "route53:ChangeResourceRecordSets on resource: arn:aws:route53:::hostedzone/Z0123456789ABCDEFGHIJ because")]
    [InlineData("InvalidInput", "(InvalidInput) when calling the ChangeResourceRecordSets operation")]
    public async Task The_aws_command_reports_errors_of_a_whole_hosted_zone(string? fault, string expected)
    {
        if (fault is not null)
        {
            Aws.Faults.Add("route53:ChangeResourceRecordSets", new Fault.Error(fault));
        }

        Assert.StartsWith(
            $"An error occurred {expected}",
            (await ChangeAsync(Upsert("rag.example.com", "A", "1.1.1.1"))).AssertFailed(),
            StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_wrong_secret_is_refused_by_Route_53()
    {
        Aws.HostedZones.Add(ZoneId, "example.com");
        Aws.Credentials.Add(new AwsCredential(StaticKeyId, "another", null, null, "arn:aws:iam::123456789012:user/static"));

        var refused = (await AwsAsync(false, "route53", "list-resource-record-sets", "--hosted-zone-id", ZoneId)).AssertFailed();

        Assert.StartsWith("An error occurred (SignatureDoesNotMatch) when calling the ListResourceRecordSets operation", refused, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_wrong_secret_is_refused_by_EC2()
    {
        Aws.Credentials.Add(new AwsCredential(StaticKeyId, "another", null, null, "arn:aws:iam::123456789012:user/static"));

        var refused = (await AwsAsync(false, "ec2", "stop-instances", "--instance-ids", Aws.Instance.InstanceId)).AssertFailed();

        Assert.StartsWith("An error occurred (SignatureDoesNotMatch) when calling the StopInstances operation", refused, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task The_aws_commands_login_password_opens_the_registry(bool asTheInstance)
    {
        var password = (await AwsAsync(asTheInstance, "ecr", "get-login-password")).AssertSucceeded();
        using var response = await SendToRegistryAsync(HttpMethod.Get, "/v2/", password);

        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
    }

    [Fact]
    public async Task The_aws_command_reads_when_a_registry_token_expires()
    {
        var answer = JsonNode.Parse((await AwsAsync(true, "ecr", "get-authorization-token")).AssertSucceeded())!["authorizationData"]![0]!;

        var left = answer["expiresAt"]!.GetValue<DateTimeOffset>() - Clock.GetUtcNow();
        Assert.InRange(left, TimeSpan.FromHours(12) - TimeSpan.FromSeconds(1), TimeSpan.FromHours(12));
        Assert.Equal($"http://{Aws.RegistryHost}", answer["proxyEndpoint"]!.GetValue<string>());
    }

    [Fact]
    public async Task Skopeo_reads_and_copies_an_image()
    {
        var image = TestImage.Create(fileSize: 100_000);
        await image.PushAsync(Aws, Http, "app", "latest", TestCancellation);
        var login = $"AWS:{await new EcrClient(Aws).TokenAsync(StaticKeyId, StaticSecret, TestCancellation)}";
        var source = $"docker://{Aws.RegistryHost}/app:latest";

        var inspected = await ProcessRunner.RunAsync(
            "skopeo", ["inspect", "--tls-verify=false", "--creds", login, source], stopping: TestCancellation);
        var copied = await ProcessRunner.RunAsync(
            "skopeo",
            [
                "copy", "--insecure-policy", "--src-tls-verify=false", "--dest-tls-verify=false",
                "--src-creds", login, "--dest-creds", login, source, $"docker://{Aws.RegistryHost}/copy:latest",
            ],
            stopping: TestCancellation);
        var saved = await ProcessRunner.RunAsync(
            "skopeo",
            ["copy", "--insecure-policy", "--src-tls-verify=false", "--src-creds", login, source, $"oci:{Path.Combine(Folder, "oci")}"],
            stopping: TestCancellation);

        Assert.Equal(image.Digest, JsonNode.Parse(inspected.AssertSucceeded())!["Digest"]!.GetValue<string>());
        copied.AssertSucceeded();
        saved.AssertSucceeded();
    }

    // The helper only ever calls https://api.ecr.REGION.amazonaws.com. A proxy on loopback redirects it.
    [Fact]
    public async Task The_ECR_credential_helper_gets_a_password_that_opens_the_registry()
    {
        await using var aws = await LocalAwsServer.StartAsync(
            Options with { StorageDirectory = Path.Combine(Folder, "named"), ProxyEndpoint = $"https://{RegistryName}" }, TestCancellation);
        await using var proxy = new ConnectProxy(aws.TlsApiEndpoint!.Port);
        var authority = Path.Combine(Folder, "authority.pem");
        await File.WriteAllTextAsync(authority, _certificate.ExportCertificatePem(), TestCancellation);

        var result = await ProcessRunner.RunAsync("docker-credential-ecr-login", ["get"], new Dictionary<string, string>
        {
            ["HOME"] = Folder,
            ["HTTPS_PROXY"] = proxy.Address,
            ["SSL_CERT_FILE"] = authority,
            ["AWS_ACCESS_KEY_ID"] = StaticKeyId,
            ["AWS_SECRET_ACCESS_KEY"] = StaticSecret,
            ["AWS_ECR_DISABLE_CACHE"] = "true",
        }, RegistryName, TestCancellation);

        var answer = JsonNode.Parse(result.AssertSucceeded())!;
        Assert.Equal("AWS", answer["Username"]!.GetValue<string>());
        using var request = new HttpRequestMessage(HttpMethod.Get, new Uri(aws.RegistryEndpoint, "/v2/"));
        request.Headers.Authorization = BasicLogin(answer["Secret"]!.GetValue<string>());
        using var opened = await Http.SendAsync(request, TestCancellation);
        Assert.Equal(HttpStatusCode.OK, opened.StatusCode);
        Assert.Equal([EcrHost + ":443"], proxy.RequestedHosts);
    }

    private const string ZoneId = "Z0123456789ABCDEFGHIJ";

    private static string Upsert(string name, string type, string value) =>
        $$"""
        {
          "Action": "UPSERT",
          "ResourceRecordSet": { "Name": "{{name}}", "Type": "{{type}}", "TTL": 60, "ResourceRecords": [ { "Value": "{{value}}" } ] }
        }
        """;

    private Task<ProcessResult> ChangeAsync(params string[] changes) =>
        AwsAsync(
            true,
            "route53",
            "change-resource-record-sets",
            "--hosted-zone-id",
            ZoneId,
            "--change-batch",
            $$"""{ "Changes": [ {{string.Join(", ", changes)}} ] }""");

    private async Task<string[]> ListAsync(params string[] more)
    {
        var listed = await AwsAsync(true, ["route53", "list-resource-record-sets", "--hosted-zone-id", ZoneId, .. more]);
        return [.. JsonNode.Parse(listed.AssertSucceeded())!["ResourceRecordSets"]!.AsArray().Select(
            set => $"{set!["Name"]} {set["Type"]}")];
    }

    private Task<ProcessResult> AwsAsync(bool asTheInstance, params string[] arguments)
    {
        var environment = new Dictionary<string, string>
        {
            ["HOME"] = Folder,
            // With an endpoint URL, the command signs for the configured region. Route 53 only has us-east-1.
            ["AWS_REGION"] = arguments[0] == "route53" ? "us-east-1" : "eu-central-1",
            ["AWS_PAGER"] = "",
        };
        if (asTheInstance)
        {
            environment["AWS_EC2_METADATA_DISABLED"] = "false";
            // This version of the command appends the path to the endpoint without a slash.
            environment["AWS_EC2_METADATA_SERVICE_ENDPOINT"] = Aws.ApiEndpoint.ToString();
        }
        else
        {
            environment["AWS_ACCESS_KEY_ID"] = StaticKeyId;
            environment["AWS_SECRET_ACCESS_KEY"] = StaticSecret;
        }
        return ProcessRunner.RunAsync(
            "/usr/bin/aws",
            ["--endpoint-url", Aws.ApiEndpoint.ToString(), "--output", "json", .. arguments],
            environment,
            stopping: TestCancellation);
    }

    private static X509Certificate2 CertificateFor(string host)
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest($"CN={host}", key, HashAlgorithmName.SHA256);
        var names = new SubjectAlternativeNameBuilder();
        names.AddDnsName(host);
        request.CertificateExtensions.Add(names.Build());
        var now = TimeProvider.System.GetUtcNow();
        return request.CreateSelfSigned(now - TimeSpan.FromDays(1), now + TimeSpan.FromDays(1));
    }
}
