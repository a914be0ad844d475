namespace FileTransfer.Reporting;

/// <summary>What the other side needs to know of a server.</summary>
/// <param name="EndPoints">Where it is reached: addresses of this machine, the likeliest first.</param>
/// <param name="Key">The fingerprint of its key.</param>
/// <param name="Ticket">Addresses and key in one text, which get, put, ls and cat take in place of a server's name.</param>
/// <param name="Engine">Which transport carries it.</param>
/// <param name="IsWritable">Whether it takes files.</param>
internal sealed record ServerFacts(IReadOnlyList<string> EndPoints, string Key, string Ticket, string Engine, bool IsWritable);
