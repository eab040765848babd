package api

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"io"
	"mime"
	"mime/multipart"
	"net/http"
	"time"

	"github.com/paraph-sign/paraph"
	"github.com/paraph-sign/paraph/internal/seal"
)

const verifyPath = "/api/tools/verify"

const verifyAbout = "What paraph verify says, offline or here: each signature with who, when, its level and by whom it is trusted; what was changed after it; and the " +
	"audit trail inside. checksum_status and, of each signature, verification_result, signer_name, signing_reason, signing_time and signature_type are as in " +
	"DocuSeal. The file comes as base64 in JSON, or as the part “file” of multipart/form-data. It is not kept."

// VerifyRequest is a file to look at.
type VerifyRequest struct {
	File string `json:"file" required:"true" doc:"The PDF, as base64 or data URL."`
}

// Verification is a report, with what DocuSeal's programs look for.
type Verification struct {
	seal.Report
	Signatures     []VerifiedSignature `json:"signatures" doc:"The oldest first."`
	ChecksumStatus string              `json:"checksum_status" enum:"verified,not_found" doc:"verified when the file, byte for byte, is one that was sealed here."`
}

// VerifiedSignature is a signature, with what DocuSeal's programs look for.
type VerifiedSignature struct {
	seal.SignatureReport
	VerificationResult []VerifyMessage `json:"verification_result" doc:"What there is to say about it, for people."`
	SignerName         string          `json:"signer_name"`
	SigningReason      *string         `json:"signing_reason"`
	SigningTime        *time.Time      `json:"signing_time"`
	SignatureType      string          `json:"signature_type"`
}

// VerifyMessage is a remark on a signature.
type VerifyMessage struct {
	Type    string `json:"type" enum:"info,warning,error"`
	Content string `json:"content"`
}

type verifyInput struct {
	Body input[VerifyRequest]
}

func (a *api) verify(ctx context.Context, in *verifyInput) (out Verification, err error) {
	req, err := in.Body.value()
	if err != nil {
		return out, err
	}
	if req.File == "" {
		return out, paraph.FieldErrorf("file", "Send the file as base64.")
	}
	pdf, ok := fromBase64(req.File)
	if !ok {
		return out, paraph.FieldErrorf("file", "This is not base64.")
	}
	if int64(len(pdf)) > a.cfg.MaxSize {
		return out, &paraph.Error{Kind: paraph.TooLarge, Field: "file", Message: "The file is larger than this server takes."}
	}
	rep, err := a.desk.Verify(ctx, pdf)
	return verificationOf(rep), err
}

func verificationOf(rep seal.Report) Verification {
	v := Verification{Report: rep, Signatures: []VerifiedSignature{}, ChecksumStatus: "not_found"}
	if rep.SealedHere != nil && *rep.SealedHere {
		v.ChecksumStatus = "verified"
	}
	for _, s := range rep.Signatures {
		out := VerifiedSignature{SignatureReport: s, VerificationResult: remarks(s), SignerName: s.Signer, SigningTime: s.SignedAt, SignatureType: s.Format}
		if s.Reason != "" {
			out.SigningReason = &s.Reason
		}
		v.Signatures = append(v.Signatures, out)
	}
	return v
}

func remarks(s seal.SignatureReport) []VerifyMessage {
	all := []VerifyMessage{}
	add := func(kind, content string) { all = append(all, VerifyMessage{kind, content}) }
	if s.Problem != "" {
		add("error", "Not valid: "+s.Problem)
	}
	for _, c := range s.ChangedAfter {
		add("error", "Changed afterwards: "+c)
	}
	if s.Intact && !s.Trusted {
		add("warning", "Not trusted: "+s.Trust())
	} else if s.Intact {
		add("info", "Trusted: "+s.Trust())
	}
	if s.Problem == "" && len(s.ChangedAfter) == 0 {
		add("info", "Signature valid")
	}
	return all
}

// multipartBoundary is that of a request that sends a form with a file, where one is taken; "" otherwise.
func multipartBoundary(r *http.Request) string {
	if r.URL.Path != verifyPath {
		return ""
	}
	kind, params, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	if err != nil || kind != "multipart/form-data" {
		return ""
	}
	return params["boundary"]
}

// fileAsJSON makes of a form that was read the JSON that means the same.
func fileAsJSON(form []byte, boundary string) ([]byte, error) {
	parts := multipart.NewReader(bytes.NewReader(form), boundary)
	for {
		part, err := parts.NextPart()
		if errors.Is(err, io.EOF) {
			return nil, paraph.FieldErrorf("file", "The form has no part “file”.")
		}
		if err != nil {
			return nil, paraph.FieldErrorf("body", "The form can't be read.")
		}
		if part.FormName() != "file" {
			continue
		}
		file, err := io.ReadAll(part)
		if err != nil {
			return nil, paraph.FieldErrorf("file", "The form ends within its file.")
		}
		return json.Marshal(VerifyRequest{base64.StdEncoding.EncodeToString(file)})
	}
}
