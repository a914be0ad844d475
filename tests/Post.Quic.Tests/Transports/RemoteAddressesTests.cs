using System.Net;
using System.Net.Sockets;
using Post.Sockets;
using Post.Sockets.Transport;

namespace Post.Quic.Tests.Transports;

/// <summary>A name may have several addresses, and a Remote may list several.</summary>
[TestClass]
public sealed class RemoteAddressesTests
{
    private static readonly IPAddress[] Both = [IPAddress.IPv6Loopback, IPAddress.Loopback];

    public TestContext TestContext { get; set; } = null!;

    private CancellationToken Cancel => TestContext.CancellationToken;

    [TestMethod]
    public async Task All_addresses_of_a_name_are_tried_in_order()
    {
        var tried = new List<IPEndPoint>();

        TransportException failure = await Assert.ThrowsExactlyAsync<TransportException>(
            () => ConnectAsync(Remote.Named("server", 7), tried, TransportErrorReason.Unreachable, TransportErrorReason.TimedOut));

        Assert.AreEqual(TransportErrorReason.TimedOut, failure.Reason);
        CollectionAssert.AreEqual((IPEndPoint[])[new(IPAddress.IPv6Loopback, 7), new(IPAddress.Loopback, 7)], tried);
    }

    [TestMethod]
    public async Task A_server_that_answered_at_one_address_of_its_name_is_not_asked_at_another()
    {
        var tried = new List<IPEndPoint>();

        TransportException failure = await Assert.ThrowsExactlyAsync<TransportException>(
            () => ConnectAsync(Remote.Named("server", 7), tried, TransportErrorReason.AuthenticationFailed));

        Assert.AreEqual(TransportErrorReason.AuthenticationFailed, failure.Reason);
        Assert.HasCount(1, tried);
    }

    [TestMethod]
    public async Task Addresses_that_a_remote_lists_are_all_tried()
    {
        var tried = new List<IPEndPoint>();
        Remote remote = Remote.Named("server", 7) with { Addresses = Both };

        await Assert.ThrowsExactlyAsync<TransportException>(
            () => ConnectAsync(remote, tried, TransportErrorReason.AuthenticationFailed, TransportErrorReason.AuthenticationFailed));

        Assert.HasCount(2, tried);
    }

    [TestMethod]
    public async Task A_name_that_nobody_has_is_named()
    {
        TransportException failure = await Assert.ThrowsExactlyAsync<TransportException>(() => RemoteAddresses.ConnectToAnyAsync(
            Remote.Named("server", 7),
            _ => throw new InvalidOperationException("There is no address."),
            Post.Quic.Managed.ManagedQuicErrors.Translate,
            Cancel,
            (_, _) => throw new SocketException((int)SocketError.HostNotFound)).AsTask());

        Assert.AreEqual(TransportErrorReason.HostNotFound, failure.Reason);
    }

    [TestMethod]
    public void Each_address_is_reached_from_one_of_its_family()
    {
        var local = new Local { EndPoints = [new IPEndPoint(IPAddress.Loopback, 0), new IPEndPoint(IPAddress.IPv6Loopback, 0)] };

        Assert.AreEqual(IPAddress.IPv6Loopback, LocalAddresses.ForConnecting(local, AddressFamily.InterNetworkV6)!.Address);
        Assert.AreEqual(IPAddress.Loopback, LocalAddresses.ForConnecting(local, AddressFamily.InterNetwork)!.Address);
    }

    [TestMethod]
    [Timeout(30_000, CooperativeCancellation = true)]
    public async Task A_local_address_of_another_family_than_the_remotes_is_refused_at_once()
    {
        await using var transport = new Post.Quic.Managed.ManagedTransport();
        var local = new Local { EndPoints = [new IPEndPoint(IPAddress.IPv6Loopback, 0)] };
        Remote remote = Remote.Pinned(new IPEndPoint(IPAddress.Loopback, 9), KeyFingerprint.Of(Identity.CreateSelfSigned()));

        PostException refused = await Assert.ThrowsExactlyAsync<PostException>(
            () => Association.AssociateAsync(transport, local, remote, cancellationToken: Cancel).AsTask());

        Assert.AreEqual(TransportErrorReason.LocalAddressUnavailable, ((TransportException)refused.InnerException!).Reason);
        Assert.Contains("[::1]:0", refused.Message);
        Assert.Contains("IPv4", refused.Message);
    }

    [TestMethod]
    [DataRow("0.0.0.0:7", "[::]:7")]
    [DataRow("[::]:7", "127.0.0.1:7")]
    public void Beside_an_IPv4_address_of_the_same_port_the_IPv6_wildcard_leaves_IPv4_to_it(string first, string second)
    {
        var local = new Local { EndPoints = [IPEndPoint.Parse(first), IPEndPoint.Parse(second)] };

        CollectionAssert.AreEquivalent(
            new[] { (first, false), (second, false) }.Select(static one => new ListenAddress(IPEndPoint.Parse(one.Item1), false)).ToArray(),
            LocalAddresses.ForListening(local, canLeaveIPv4: true).Select(static one => one with { DualMode = false }).ToArray());
        Assert.IsFalse(LocalAddresses.ForListening(local, canLeaveIPv4: true).Single(static one => one.EndPoint.Address.Equals(IPAddress.IPv6Any)).DualMode);
        Assert.AreEqual(
            new ListenAddress(IPEndPoint.Parse("[::]:7"), true),
            LocalAddresses.ForListening(local, canLeaveIPv4: false).Single(), "Where it cannot, it serves both.");
    }

    [TestMethod]
    public void What_a_wildcard_of_the_list_serves_gets_no_socket_of_its_own()
    {
        var local = new Local { EndPoints = [IPEndPoint.Parse("127.0.0.1:7"), IPEndPoint.Parse("0.0.0.0:7"), IPEndPoint.Parse("127.0.0.1:8")] };

        CollectionAssert.AreEqual(
            new[] { "0.0.0.0:7", "127.0.0.1:8" },
            LocalAddresses.ForListening(local, canLeaveIPv4: true).Select(static one => one.EndPoint.ToString()).ToArray());
    }

    private async Task ConnectAsync(Remote remote, List<IPEndPoint> tried, params TransportErrorReason[] failures) =>
        await RemoteAddresses.ConnectToAnyAsync(
            remote,
            address =>
            {
                tried.Add(address);
                throw new TransportException(failures[tried.Count - 1], "as the test says");
            },
            static exception => (TransportException)exception,
            Cancel,
            (_, _) => Task.FromResult(Both));
}
