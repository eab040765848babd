package web

import "net/http"

func (s *server) envelopesPage(w http.ResponseWriter, r *http.Request) error { return errNoPage }
func (s *server) newEnvelopePage(w http.ResponseWriter, r *http.Request) error { return errNoPage }
func (s *server) newEnvelope(w http.ResponseWriter, r *http.Request) error { return errNoPage }
func (s *server) envelopePage(w http.ResponseWriter, r *http.Request) error { return errNoPage }
func (s *server) draftPage(w http.ResponseWriter, r *http.Request) error { return errNoPage }
func (s *server) addDocuments(w http.ResponseWriter, r *http.Request) error { return errNoPage }
func (s *server) removeDocument(w http.ResponseWriter, r *http.Request) error { return errNoPage }
func (s *server) saveDetails(w http.ResponseWriter, r *http.Request) error { return errNoPage }
func (s *server) fieldsPage(w http.ResponseWriter, r *http.Request) error { return errNoPage }
func (s *server) saveField(w http.ResponseWriter, r *http.Request) error { return errNoPage }
func (s *server) layout(w http.ResponseWriter, r *http.Request) error { return errNoPage }
func (s *server) saveLayout(w http.ResponseWriter, r *http.Request) error { return errNoPage }
func (s *server) reviewPage(w http.ResponseWriter, r *http.Request) error { return errNoPage }
func (s *server) send(w http.ResponseWriter, r *http.Request) error { return errNoPage }
func (s *server) cancel(w http.ResponseWriter, r *http.Request) error { return errNoPage }
func (s *server) deleteEnvelope(w http.ResponseWriter, r *http.Request) error { return errNoPage }
func (s *server) archiveEnvelope(w http.ResponseWriter, r *http.Request) error { return errNoPage }
func (s *server) remind(w http.ResponseWriter, r *http.Request) error { return errNoPage }
func (s *server) envelopePicture(w http.ResponseWriter, r *http.Request) error { return errNoPage }
func (s *server) download(w http.ResponseWriter, r *http.Request) error { return errNoPage }
func (s *server) auditLog(w http.ResponseWriter, r *http.Request) error { return errNoPage }
func (s *server) signPage(w http.ResponseWriter, r *http.Request) error { return errNoPage }
func (s *server) signPlainPage(w http.ResponseWriter, r *http.Request) error { return errNoPage }
func (s *server) signTask(w http.ResponseWriter, r *http.Request) error { return errNoPage }
func (s *server) signValue(w http.ResponseWriter, r *http.Request) error { return errNoPage }
func (s *server) signFinish(w http.ResponseWriter, r *http.Request) error { return errNoPage }
func (s *server) signDecline(w http.ResponseWriter, r *http.Request) error { return errNoPage }
func (s *server) signFieldPicture(w http.ResponseWriter, r *http.Request) error { return errNoPage }
func (s *server) signPicture(w http.ResponseWriter, r *http.Request) error { return errNoPage }
func (s *server) signDownload(w http.ResponseWriter, r *http.Request) error { return errNoPage }
func (s *server) previewPage(w http.ResponseWriter, r *http.Request) error { return errNoPage }
func (s *server) file(w http.ResponseWriter, r *http.Request) error { return errNoPage }
func (s *server) verifyPage(w http.ResponseWriter, r *http.Request) error { return errNoPage }
func (s *server) verify(w http.ResponseWriter, r *http.Request) error { return errNoPage }
