namespace Post.Quic.Engine.Streams;

/// <summary>Whoever lent memory to a <see cref="SendBuffer"/> and wants it back.</summary>
internal interface ISendChunkOwner
{
    /// <summary>
    /// The buffer will not touch the memory again. Called once for each chunk, inside the connection's gate: it must
    /// not call back into the connection.
    /// </summary>
    /// <param name="acknowledged">Every byte was acknowledged; else the stream was reset or the connection ended.</param>
    void OnChunkReleased(bool acknowledged);
}
