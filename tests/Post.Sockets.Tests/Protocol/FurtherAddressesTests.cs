using System.Net;
using Post.Sockets.Protocol;

namespace Post.Sockets.Tests.Protocol;

[TestClass]
public sealed class FurtherAddressesTests
{
    [TestMethod]
    [DataRow(ProtocolLimits.MaxPeerAddresses, true)]
    [DataRow(ProtocolLimits.MaxPeerAddresses + 1, false)]
    [DataRow(0, false)]
    public void Eight_addresses_are_taken_and_no_more(int count, bool valid)
    {
        byte[] one = [4, 192, 0, 2, 1, 7];
        byte[] value = [.. Enumerable.Repeat(one, count).SelectMany(static bytes => bytes)];
        Assert.AreEqual(valid, FurtherAddresses.TryParse(value, out var read));
        Assert.HasCount(valid ? count : 0, read.All);
    }

    [TestMethod]
    [DataRow(new byte[] { 5, 192, 0, 2, 1, 1, 7 }, DisplayName = "a length that no address has")]
    [DataRow(new byte[] { 4, 192, 0, 2, 1, 0 }, DisplayName = "port 0")]
    [DataRow(new byte[] { 4, 192, 0, 2, 1 }, DisplayName = "no port")]
    [DataRow(new byte[] { 16, 192, 0, 2, 1, 7 }, DisplayName = "cut short")]
    [DataRow(new byte[] { 4, 192, 0, 2, 1, 0x80, 1, 0, 0 }, DisplayName = "a port beyond 65535")]
    public void What_is_no_address_is_refused(byte[] value) => Assert.IsFalse(FurtherAddresses.TryParse(value, out _));

    [TestMethod]
    public void A_listener_cannot_point_its_clients_at_themselves_or_at_groups()
    {
        var told = FurtherAddresses.Of(
            [.. new[] { "127.0.0.1", "0.0.0.0", "224.0.0.1", "255.255.255.255", "169.254.1.1", "::1", "::" }.Select(At), At("198.51.100.7")]);
        CollectionAssert.AreEqual(new[] { At("198.51.100.7") }, told.Allowed(At("203.0.113.1")).ToArray());
        var rest = FurtherAddresses.Of([At("ff02::1"), At("fe80::1"), At("::ffff:10.0.0.1"), At("2001:db8::1")]);
        CollectionAssert.AreEqual(new[] { At("2001:db8::1") }, rest.Allowed(At("203.0.113.1")).ToArray());
        CollectionAssert.AreEqual(new[] { At("127.0.0.1"), At("::1") }, told.Allowed(At("127.0.0.1")).ToArray(), "on one machine they may be its own");

        static IPEndPoint At(string address) => new(IPAddress.Parse(address), 4433);
    }
}
