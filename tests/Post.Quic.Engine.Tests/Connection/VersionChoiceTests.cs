using Post.Quic.Engine.Connection;
using Post.Quic.Engine.Wire;
using Post.Quic.Engine.Wire.Packets;
using Post.Quic.Engine.Wire.Parameters;

namespace Post.Quic.Engine.Tests.Connections;

/// <summary>RFC 9368: who chooses the version, and that nobody in between did.</summary>
[TestClass]
public sealed class VersionChoiceTests
{
    private const uint V1 = (uint)QuicVersion.Version1;
    private const uint V2 = (uint)QuicVersion.Version2;

    private static readonly QuicVersion[] PrefersTwo = [QuicVersion.Version2, QuicVersion.Version1];

    [TestMethod]
    public void The_server_takes_what_it_likes_best_of_the_clients_list()
    {
        var choice = new VersionChoice(PrefersTwo, QuicVersion.Version1);
        Assert.IsFalse(choice.TakeOffer(new VersionInformation(V1, V1, V2)).IsError);
        Assert.AreEqual(QuicVersion.Version1, choice.Current, "Which it takes is decided with the options of this client.");
        choice.ChooseAsServer(PrefersTwo);
        Assert.AreEqual(QuicVersion.Version2, choice.Current);
        Assert.AreEqual(QuicVersion.Version1, choice.Original);

        choice = new VersionChoice(PrefersTwo, QuicVersion.Version1);
        Assert.IsFalse(choice.TakeOffer(new VersionInformation(V1, V1)).IsError);
        choice.ChooseAsServer(PrefersTwo);
        Assert.AreEqual(QuicVersion.Version1, choice.Current);

        choice = new VersionChoice(PrefersTwo, QuicVersion.Version1);
        Assert.IsFalse(choice.TakeOffer(null).IsError);
        choice.ChooseAsServer(PrefersTwo);
        Assert.AreEqual(QuicVersion.Version1, choice.Current);
    }

    [TestMethod]
    public void A_server_without_a_preference_takes_what_the_client_likes_best()
    {
        QuicVersion[] plain = [QuicVersion.Version1, QuicVersion.Version2];
        var choice = new VersionChoice(plain, QuicVersion.Version1);
        Assert.IsFalse(choice.TakeOffer(new VersionInformation(V1, 0x0a1a2a3a, V2, V1)).IsError);
        choice.ChooseAsServer(plain);
        Assert.AreEqual(QuicVersion.Version2, choice.Current);

        choice = new VersionChoice(plain, QuicVersion.Version1);
        Assert.IsFalse(choice.TakeOffer(new VersionInformation(V1, V1, V2)).IsError);
        choice.ChooseAsServer(plain);
        Assert.AreEqual(QuicVersion.Version1, choice.Current);
    }

    [TestMethod]
    public void A_choice_that_the_packets_belie_is_refused_on_both_sides()
    {
        Refused(new VersionChoice(PrefersTwo, QuicVersion.Version1).TakeOffer(new VersionInformation(V2, V2, V1)));
        Refused(new VersionChoice(PrefersTwo, QuicVersion.Version1).CheckAsClient(new VersionInformation(V2, V2, V1)));
        var changed = new VersionChoice(PrefersTwo, QuicVersion.Version1);
        changed.Change(QuicVersion.Version2);
        Refused(changed.CheckAsClient(new VersionInformation(V1, V1, V2)));
        Refused(changed.CheckAsClient(null));
        Assert.IsFalse(changed.CheckAsClient(new VersionInformation(V2, V1, V2)).IsError);
    }

    [TestMethod]
    public void A_forged_negotiation_to_a_worse_version_is_found_out()
    {
        VersionChoice downgraded = Follow(PrefersTwo, QuicVersion.Version2, V1);
        Assert.AreEqual(QuicVersion.Version1, downgraded.Current);
        Refused(downgraded.CheckAsClient(new VersionInformation(V1, V1, V2)));
        Refused(downgraded.CheckAsClient(new VersionInformation(V1)));
        Assert.IsFalse(downgraded.CheckAsClient(new VersionInformation(V1, V1)).IsError);

        // RFC 9368 section 8: a server of version 1 that says nothing is taken to have only that.
        Assert.IsFalse(downgraded.CheckAsClient(null).IsError);
    }

    [TestMethod]
    public void After_a_negotiation_to_another_version_than_1_the_parameter_must_be_there()
    {
        VersionChoice followed = Follow([QuicVersion.Version1, QuicVersion.Version2], QuicVersion.Version1, V2);
        Assert.AreEqual(QuicVersion.Version2, followed.Current);
        Refused(followed.CheckAsClient(null));
        Assert.IsFalse(followed.CheckAsClient(new VersionInformation(V2, V2)).IsError);
        Refused(followed.CheckAsClient(new VersionInformation(V2, V1, V2)));
    }

    [TestMethod]
    public void Without_a_common_version_there_is_nothing_to_follow()
    {
        var choice = new VersionChoice([QuicVersion.Version1], QuicVersion.Version1);
        Assert.IsFalse(choice.TryFollow(Negotiation(0x0a0a0a0a, 0xff00001d)));
        Assert.IsFalse(choice.FollowedNegotiation);
    }

    [TestMethod]
    public void Zero_and_a_choice_outside_of_the_list_do_not_parse()
    {
        Assert.IsFalse(Parses([0, 0, 0, 0], fromServer: true));
        Assert.IsFalse(Parses([0, 0, 0, 1, 0, 0, 0, 0], fromServer: true));
        Assert.IsFalse(Parses([0, 0, 0, 1, 0, 0], fromServer: true));
        Assert.IsFalse(Parses([], fromServer: true));
        Assert.IsFalse(Parses([0, 0, 0, 1], fromServer: false));
        Assert.IsTrue(Parses([0, 0, 0, 1], fromServer: true));
        Assert.IsTrue(Parses([0, 0, 0, 1, 0, 0, 0, 1], fromServer: false));
    }

    private static bool Parses(byte[] value, bool fromServer) => VersionInformation.TryParse(value, fromServer, out _);

    private static VersionChoice Follow(QuicVersion[] ours, QuicVersion first, uint offered)
    {
        var choice = new VersionChoice(ours, first);
        Assert.IsTrue(choice.TryFollow(Negotiation(offered, 0x1a2a3a4a)));
        Assert.IsTrue(choice.FollowedNegotiation);
        return choice;
    }

    private static VersionNegotiationPacket Negotiation(params uint[] versions)
    {
        var writer = new WireWriter(new byte[100]);
        VersionNegotiationPacket.Write(ref writer, [1], [2], versions, 0);
        Assert.IsTrue(VersionNegotiationPacket.TryParse(writer.Written, out VersionNegotiationPacket packet));
        return packet;
    }

    private static void Refused(TransportError error) =>
        Assert.AreEqual(TransportErrorCode.VersionNegotiationError, error.Code);
}
