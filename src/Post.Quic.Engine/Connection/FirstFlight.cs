using Post.Quic.Engine.Paths;
using Post.Quic.Engine.Wire;

namespace Post.Quic.Engine.Connection;

/// <summary>
/// How a connection begins: which ids and keys stand at its start, and how a client begins anew when the server asks
/// for it (RFC 9000 sections 6.2, 7.2 and 17.2.5).
/// </summary>
internal sealed class FirstFlight
{
    /// <summary>RFC 9000 section 7.2: at least eight unpredictable bytes.</summary>
    private const int ClientDestinationLength = 16;

    private readonly ConnectionState _state;

    public FirstFlight(ConnectionState state)
    {
        _state = state;
    }

    public void StartAsClient(long now)
    {
        _state.Parameters.Prepare();
        _state.Token = _state.Setup.Token;

        // RFC 9000 section 8: a client chose the address itself; only what others may have forged is limited.
        _state.Paths.First.Network.Amplification.Validate();
        ChooseDestination();
        _state.Handshake.Start(now);
    }

    public void StartAsServer(in ServerArrival arrival, long now)
    {
        _state.Parameters.Prepare();
        _state.OriginalDestination = arrival.OriginalDestinationConnectionId;
        _state.RetrySource = arrival.RetrySourceConnectionId;
        _state.InitialKeyId = arrival.DestinationConnectionId;
        _state.PeerInitialSource = arrival.SourceConnectionId;
        _state.HasHeardPeer = true;
        Network network = _state.Paths.First.Network;
        network.RemoteId = _state.Paths.First.RemoteIds.SetFirst(arrival.SourceConnectionId);
        if (arrival.IsAddressValidated)
        {
            network.IsValidated = true;
            network.Amplification.Validate();
        }

        _state.Keys.SetInitial(arrival.Version, arrival.DestinationConnectionId, isClient: false);
        _state.Handshake.Start(now);
    }

    /// <summary>Client: the server speaks another version of ours. All begins again but the ids that we gave.</summary>
    public void RestartInOtherVersion(long now)
    {
        _state.Paths.First.Recovery.OnRetry(now);
        _state.Crypto.Discard(EncryptionLevel.Initial);
        _state.Handshake.GiveUpEarlyData(now);
        _state.RenewTls();
        ChooseDestination();
        _state.Handshake.Start(now);
    }

    /// <summary>Client: a Retry was followed; the ClientHello goes again, with the token, under new Initial keys.</summary>
    public void FollowRetry(in ConnectionId source, ReadOnlySpan<byte> token, long now)
    {
        _state.RetrySource = source;
        _state.Token = token.ToArray();
        _state.InitialKeyId = source;
        _state.Paths.First.Network.RemoteId = _state.Paths.First.RemoteIds.SetFirst(source);
        _state.Keys.SetInitial(_state.Version.Original, source, isClient: true);
        _state.Paths.First.Recovery.OnRetry(now);
    }

    /// <summary>0-RTT was refused: what it did never happened (RFC 9001 section 4.6.2).</summary>
    public void RejectEarlyData(long now)
    {
        _ = _state.Keys.Discard(EncryptionLevel.EarlyData);
        _state.Paths.First.Recovery.OnEarlyDataRejected(now);
        _state.Streams.UndoEarlyData(now);
        _state.Datagrams.UndoEarlyData();
    }

    private void ChooseDestination()
    {
        ConnectionId destination = _state.Setup.FirstDestination;
        if (destination.IsEmpty)
        {
            Span<byte> random = stackalloc byte[ClientDestinationLength];
            _state.Random.Fill(random);
            destination = new ConnectionId(random);
        }

        _state.OriginalDestination = destination;
        _state.InitialKeyId = destination;
        _state.Paths.First.Network.RemoteId = _state.Paths.First.RemoteIds.SetFirst(destination);
        _state.Keys.SetInitial(_state.Version.Original, destination, isClient: true);
    }
}
