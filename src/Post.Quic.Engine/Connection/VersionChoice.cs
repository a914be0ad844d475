using Post.Quic.Engine.Wire;
using Post.Quic.Engine.Wire.Packets;
using Post.Quic.Engine.Wire.Parameters;

namespace Post.Quic.Engine.Connection;

/// <summary>
/// Which version a connection is in (RFC 9368): both ways of negotiating, and the checks that nobody between the two
/// sides took part in it.
/// </summary>
internal sealed class VersionChoice
{
    private IReadOnlyList<QuicVersion> _ours;
    private VersionInformation? _client;

    public VersionChoice(IReadOnlyList<QuicVersion> ours, QuicVersion first)
    {
        _ours = ours;
        Original = first;
        Current = first;
    }

    /// <summary>The version of the client's first flight; 0-RTT packets stay in it (RFC 9369 section 4.1).</summary>
    public QuicVersion Original { get; private set; }

    public QuicVersion Current { get; private set; }

    /// <summary>We began anew because of a Version Negotiation packet; that happens once.</summary>
    public bool FollowedNegotiation { get; private set; }

    private bool WasChanged => Current != Original;

    public bool IsOurs(QuicVersion version)
    {
        foreach (QuicVersion ours in _ours)
        {
            if (ours == version)
            {
                return true;
            }
        }

        return false;
    }

    /// <summary>What we say in our transport parameters (RFC 9368 section 3).</summary>
    public VersionInformation ToInformation()
    {
        var available = new uint[_ours.Count];
        for (int i = 0; i < available.Length; i++)
        {
            available[i] = (uint)_ours[i];
        }

        return new VersionInformation((uint)Current, available);
    }

    /// <summary>
    /// Client: the server knows none of our version. Picks another, or says that there is none (RFC 9000 section 6.2).
    /// </summary>
    public bool TryFollow(in VersionNegotiationPacket packet)
    {
        foreach (QuicVersion ours in _ours)
        {
            if (packet.Contains((uint)ours))
            {
                Original = ours;
                Current = ours;
                FollowedNegotiation = true;
                return true;
            }
        }

        return false;
    }

    /// <summary>
    /// Client: the server's choice is known. It shows by a packet in another version than ours, or by the first CRYPTO frame in ours; what
    /// comes before that, an acknowledgement, says nothing yet (RFC 9369 section 4.1).
    /// </summary>
    public bool IsSettled { get; private set; }

    /// <summary>Client: the server answers in another version than ours, which we offered.</summary>
    public void Change(QuicVersion version)
    {
        Current = version;
        IsSettled = true;
    }

    /// <summary>The handshake goes on in the version that it is in.</summary>
    public void Settle() => IsSettled = true;

    /// <summary>Server: the client's list is known; which of it is taken waits for the options of this client.</summary>
    public TransportError TakeOffer(VersionInformation? client)
    {
        // RFC 9368 section 4: the client's choice is the version of the packets it came in.
        if (client is not null && client.Chosen != (uint)Original)
        {
            return Error("chosen version is not that of the packets");
        }

        _client = client;
        return TransportError.None;
    }

    /// <summary>
    /// Server: chooses, before the first byte of TLS is sent. Versions 1 and 2 are compatible, so any of the client's list can be had. Who
    /// prefers none to that of the first packet goes by the order of the client, which is its preference (RFC 9368 section 3).
    /// </summary>
    /// <param name="ours">The versions spoken with this client, the preferred one first.</param>
    public void ChooseAsServer(IReadOnlyList<QuicVersion> ours)
    {
        _ours = ours;
        if (_client is null)
        {
            return;
        }

        Current = _ours[0] == QuicVersion.Version1 ? FirstOfClient(_client) : FirstOfOurs(_client);
    }

    private QuicVersion FirstOfClient(VersionInformation client)
    {
        foreach (uint theirs in client.Available.Span)
        {
            if (IsOurs((QuicVersion)theirs))
            {
                return (QuicVersion)theirs;
            }
        }

        return Current;
    }

    private QuicVersion FirstOfOurs(VersionInformation client)
    {
        foreach (QuicVersion ours in _ours)
        {
            if (client.Offers((uint)ours))
            {
                return ours;
            }
        }

        return Current;
    }

    /// <summary>Client: does the server confirm what the packets showed?</summary>
    public TransportError CheckAsClient(VersionInformation? server)
    {
        if (server is null)
        {
            // RFC 9368 section 4: without the parameter the version cannot have been changed. Section 8: a server of
            // version 1 that is older than the parameter counts as one that has only that version.
            return WasChanged || (FollowedNegotiation && Current != QuicVersion.Version1)
                ? Error("version changed without version_information")
                : TransportError.None;
        }

        // RFC 9368 section 4: the server's choice is the version in use.
        if (server.Chosen != (uint)Current)
        {
            return Error("chosen version is not that of the packets");
        }

        // RFC 9368 section 4: after a Version Negotiation packet, the authenticated list must lead to the same choice;
        // else somebody forged the packet to have us take a worse one.
        if (FollowedNegotiation)
        {
            foreach (QuicVersion ours in _ours)
            {
                if (server.Offers((uint)ours))
                {
                    return ours == Original ? TransportError.None : Error("version negotiation was tampered with");
                }
            }

            return Error("version negotiation was tampered with");
        }

        return TransportError.None;
    }

    private static TransportError Error(string reason) => new(TransportErrorCode.VersionNegotiationError, reason);
}
