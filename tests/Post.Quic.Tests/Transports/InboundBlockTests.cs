using System.Net;
using System.Net.Sockets;
using System.Runtime.Versioning;
using Post.Quic.MsQuic.Linux;

namespace Post.Quic.Tests.Transports;

/// <summary>What keeps msquic's old socket from receiving while a client moves.</summary>
[TestClass]
[OSCondition(OperatingSystems.Linux)]
[SupportedOSPlatform("linux")]
public sealed class InboundBlockTests : IDisposable
{
    private readonly Socket _owner = new(AddressFamily.InterNetworkV6, SocketType.Dgram, ProtocolType.Udp) { DualMode = true };
    private readonly Socket _peer = new(AddressFamily.InterNetwork, SocketType.Dgram, ProtocolType.Udp);
    private readonly Socket _other = new(AddressFamily.InterNetwork, SocketType.Dgram, ProtocolType.Udp);

    public InboundBlockTests()
    {
        _owner.Bind(new IPEndPoint(IPAddress.IPv6Any, 0));
        _other.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        _peer.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        _owner.Connect(At(_peer));
        _other.Connect(At(_peer));
    }

    public void Dispose()
    {
        _owner.Dispose();
        _peer.Dispose();
        _other.Dispose();
    }

    [TestMethod]
    public void The_self_test_finds_no_obstacle() => Assert.IsNull(InboundBlock.FindObstacle());

    [TestMethod]
    public void What_came_before_is_still_read_and_what_comes_then_is_dropped()
    {
        Send(1, _owner);
        using (InboundBlock block = Place())
        {
            Assert.IsFalse(block.IsDrained);
            Send(2, _owner);
            Assert.AreEqual(1, Read(_owner));
            Assert.IsTrue(block.IsDrained);
        }

        Send(3, _owner);
        Assert.AreEqual(3, Read(_owner));
    }

    [TestMethod]
    public void No_other_socket_is_touched()
    {
        using InboundBlock block = Place();
        Send(1, _other);
        Assert.AreEqual(1, Read(_other));
    }

    [TestMethod]
    public void A_socket_that_is_not_there_cannot_be_blocked()
    {
        Assert.IsFalse(InboundBlock.TryPlace(At(_owner), At(_other), out _), "Connected to another.");
        Assert.IsFalse(InboundBlock.TryPlace(new IPEndPoint(IPAddress.Parse("127.0.0.2"), At(_owner).Port), At(_peer), out _));
    }

    [TestMethod]
    public void The_owner_may_close_its_socket_meanwhile()
    {
        InboundBlock block = Place();
        _owner.Dispose();
        Assert.IsTrue(block.IsDrained);
        block.Dispose();
        block.Dispose();
    }

    private static IPEndPoint At(Socket socket)
    {
        var endPoint = (IPEndPoint)socket.LocalEndPoint!;
        return new IPEndPoint(endPoint.Address.IsIPv4MappedToIPv6 ? endPoint.Address.MapToIPv4() : endPoint.Address, endPoint.Port);
    }

    private static byte Read(Socket socket)
    {
        byte[] one = new byte[1];
        socket.ReceiveTimeout = 5_000;
        Assert.AreEqual(1, socket.Receive(one));
        return one[0];
    }

    private void Send(byte value, Socket to) => _peer.SendTo([value], At(to));

    private InboundBlock Place()
    {
        Assert.IsTrue(InboundBlock.TryPlace(At(_owner), At(_peer), out InboundBlock? block));
        return block;
    }
}
