using System.Security.Cryptography;

namespace FileTransfer.Storage.Secrets;

/// <summary>
/// A secret by which a server knows a client again that was killed and started anew, so that it may take over what its predecessor left.
/// </summary>
internal static class ClientToken
{
    public const int Size = 16;

    /// <summary>Reads the token of this user, or makes it. Where it cannot be kept, it serves for this run.</summary>
    public static byte[] LoadOrCreate()
    {
        var path = PrivateFile.DefaultPath("client-token");
        try
        {
            if (File.Exists(path) && PrivateFile.Read(path) is { Length: Size } known)
            {
                return known;
            }
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            return RandomNumberGenerator.GetBytes(Size);
        }

        var made = RandomNumberGenerator.GetBytes(Size);
        try
        {
            PrivateFile.Write(path, made);
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            // Then a later run cannot take over, and waits as any other would.
        }

        return made;
    }
}
