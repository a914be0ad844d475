using Post.Sockets.Transport;

namespace Post.Quic.SystemNetQuic;

/// <summary>The rank of one stream among all that its connection has to send.</summary>
internal interface IStreamRanking
{
    /// <summary>The rank of what is still to be sent. Never waits.</summary>
    void Set(in TransportPriority priority);

    /// <summary>Bytes are about to be handed over: the first ones wait until the rank is known to the transport, later ones do not.</summary>
    Task BeforeWriteAsync();
}
